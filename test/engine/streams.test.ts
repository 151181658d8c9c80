import t from 'tap'
import type { ExecResult } from '../../schemas/exec.ts'
import type { RunResult } from '../../schemas/containers.ts'
import type { Problem } from '../../schemas/problem.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine } from '../support/engine.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { url } = await listenTestApp(t)
const api = createClient(url)

async function run (script: string, body: Record<string, unknown> = {}) {
  return (await api.run<RunResult>({ image, container_port: 80, command: ['sh', '-c', script], ...body })).body
}

async function ended (script: string) {
  const { id } = await run(script)
  await api.post(`/containers/${id}/wait`)
  return id
}

async function logs (id: string, query = '') {
  const answer = await fetch(`${url}/containers/${id}/logs${query}`)
  return { answer, bytes: Buffer.from(await answer.arrayBuffer()) }
}

t.test('S22: logs are the bytes that were written, both outputs, no framing', async (t) => {
  const id = await ended('echo one; echo two >&2; sleep 0.1; printf "\\000caf\\303\\251 no newline"')
  const { answer, bytes } = await logs(id)
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), /^text\/plain/)
  t.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  t.match(bytes.toString(), /one\n/)
  t.match(bytes.toString(), /two\n/)
  t.ok(bytes.includes(Buffer.from('\0café no newline')))
  t.equal((await logs(id, '?stderr=false')).bytes.includes('two'), false)
  t.equal((await logs(id, '?stdout=false')).bytes.toString(), 'two\n')
})

t.test('tail, timestamps, since and until', async (t) => {
  const id = await ended('for i in 1 2 3 4 5; do echo line $i; done; sleep 1; echo late')
  t.equal((await logs(id, '?tail=2')).bytes.toString(), 'line 5\nlate\n')
  t.equal((await logs(id, '?tail=0')).bytes.toString(), '')
  t.equal((await logs(id, '?tail=all')).bytes.toString().split('\n').length, 7)
  const stamped = (await logs(id, '?timestamps=true&tail=1')).bytes.toString()
  t.match(stamped, /^\d{4}-\d\d-\d\dT[\d:.]+Z late\n$/)
  const between = new Date(Date.parse(stamped.split(' ')[0]!) - 500)
  t.equal((await logs(id, `?since=${between.toISOString()}`)).bytes.toString(), 'late\n')
  t.equal((await logs(id, `?until=${between.getTime() / 1000}&tail=all`)).bytes.toString().includes('late'), false)
  t.equal((await logs(id, '?since=1h&tail=1')).bytes.toString(), 'late\n')
})

t.test('a terminal\'s log has no frames to take away', async (t) => {
  const id = await ended('i=0; while [ $i -lt 2000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done')
  const { bytes } = await logs(id, '?tail=all')
  t.equal(bytes.toString(), '0123456789012345678901234567890123456789\n'.repeat(2000))
})

t.test('follow brings lines as they come and ends with the container', async (t) => {
  const { id } = await run('echo first; while [ ! -e /go ]; do sleep 0.05; done; echo last')
  const answer = await fetch(`${url}/containers/${id}/logs?follow=true`)
  const reader = answer.body!.getReader()
  const decoder = new TextDecoder()
  let text = ''
  while (!text.includes('first\n')) text += decoder.decode((await reader.read()).value)
  await api.post(`/containers/${id}/exec`, { command: 'touch /go' })
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) text += decoder.decode(chunk.value)
  t.equal(text, 'first\nlast\n')
})

t.test('a client that leaves frees the stream', async (t) => {
  const { id } = await run('while :; do echo tick; sleep 0.05; done')
  const leaving = new AbortController()
  const answer = await fetch(`${url}/containers/${id}/logs?follow=true`, { signal: leaving.signal })
  await answer.body!.getReader().read()
  leaving.abort()
  const removed = await api.delete(`/containers/${id}?force=true`)
  t.equal(removed.status, 200)
})

t.test('HEAD of a followed log answers at once', async (t) => {
  const { id } = await run('sleep 300')
  const answer = await fetch(`${url}/containers/${id}/logs?follow=true`, { method: 'HEAD', signal: AbortSignal.timeout(5_000) })
  t.equal(answer.status, 200)
})

t.test('exec answers as the contract shows', async (t) => {
  const { id } = await run('sleep 300')
  const exec = (body: Record<string, unknown>) => api.post<ExecResult>(`/containers/${id}/exec`, body)
  t.same((await exec({ command: ['ls', '-d', '/bin'], workdir: '/', env: { DEMO: '1' }, tty: false })).body, { id, exit_code: 0, stdout: '/bin\n', stderr: null })
  t.same((await exec({ command: 'sh -c "echo $0 >&2; exit 3" \'two words\'' })).body, { id, exit_code: 3, stdout: '', stderr: 'two words\n' })
  t.equal((await exec({ command: 'sh -c \'echo "$DEMO"\'', env: { DEMO: 'a=b c' } })).body.stdout, 'a=b c\n')
  t.equal((await exec({ command: 'pwd', workdir: '/tmp' })).body.stdout, '/tmp\n')
  t.equal((await exec({ command: 'id -u', user: '1000' })).body.stdout, '1000\n')
  t.equal((await exec({ command: 'wc -c', stdin: 'x'.repeat(500_000) })).body.stdout, '500000\n')
  t.match((await exec({ command: 'sh -c "tty; echo err >&2"', tty: true })).body, { stdout: /\/dev\/pts.*\r\nerr\r\n/, stderr: null })
  for (const command of ['no-such-program', '/tmp']) t.match((await exec({ command })).body.exit_code, /12[67]/)
})

t.test('S24: exec output is capped, the process is not blocked', async (t) => {
  const { id } = await run('sleep 300')
  const { body } = await api.post<ExecResult>(`/containers/${id}/exec`, { command: 'sh -c "yes | head -c 5000000; echo done >&2"' })
  t.equal(body.stdout.length, 1024 ** 2)
  t.match(body, { exit_code: 0, truncated: true, stderr: 'done\n' })
})

t.test('exec that takes too long is ended', async (t) => {
  const { id } = await run('sleep 300')
  const { status, body } = await api.post<Problem>(`/containers/${id}/exec`, { command: 'sleep 77', timeout: 0.5 })
  t.match({ status, body }, { status: 504, body: { code: 'exec_timeout' } })
  const processes = async () => (await api.post<ExecResult>(`/containers/${id}/exec`, { command: 'ps' })).body.stdout
  while ((await processes()).includes('sleep 77'));
  t.match(await processes(), /sleep 300/, 'other processes go on')
})

t.test('a client that leaves ends its command', async (t) => {
  const { id } = await run('sleep 300')
  const leaving = new AbortController()
  const request = fetch(`${url}/containers/${id}/exec`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ command: 'sleep 88' }), signal: leaving.signal })
  request.catch(() => {})
  const processes = async () => (await api.post<ExecResult>(`/containers/${id}/exec`, { command: 'ps' })).body.stdout
  while (!(await processes()).includes('sleep 88'));
  leaving.abort()
  while ((await processes()).includes('sleep 88'));
  t.pass('it is gone')
})

t.test('exec in a stopped container is a conflict', async (t) => {
  const id = await ended('true')
  t.match(await api.post(`/containers/${id}/exec`, { command: 'true' }), { status: 409, body: { code: 'container_not_running' } })
})

t.test('a hundred commands, ten at a time, each with output and exit code', async (t) => {
  const { id } = await run('sleep 300')
  for (let round = 0; round < 10; round++) {
    const results = await Promise.all(Array.from({ length: 10 }, (_, index) => api.post<ExecResult>(`/containers/${id}/exec`, { command: ['sh', '-c', `echo hi ${index}; exit ${index}`] })))
    for (const [index, { body }] of results.entries()) t.match(body, { exit_code: index, stdout: `hi ${index}\n` })
  }
})

t.end()
