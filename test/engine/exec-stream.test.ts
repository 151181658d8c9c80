import t from 'tap'
import type { ExecInfo, ExecResult } from '../../schemas/exec.ts'
import type { RunResult } from '../../schemas/containers.ts'
import type { Problem } from '../../schemas/problem.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine } from '../support/engine.ts'
import { openExecStream } from '../support/exec-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { app, url } = await listenTestApp(t)
const api = createClient(url)
const { body: { id } } = await api.run<RunResult>({ image, container_port: 80, command: ['sleep', '600'] })
const exec = (body: Record<string, unknown>) => api.post<ExecResult>(`/containers/${id}/exec`, body)
const list = async () => (await api.get<ExecInfo[]>(`/containers/${id}/execs`)).body
const processes = async () => (await exec({ command: 'ps -o args' })).body.stdout

t.test('as events: started, both outputs as they are written, exit, end', async (t) => {
  for (const form of ['ndjson', 'sse'] as const) {
    const { response, rest } = await openExecStream(t, url, id, { command: ['sh', '-c', 'echo out; sleep 0.2; echo err >&2; sleep 0.2; exit 3'] }, { form })
    t.match(response.headers.get('content-type'), form === 'sse' ? /event-stream/ : /ndjson/)
    const [started, ...events] = await rest()
    t.match(started, { event: 'started', data: { exec_id: /^[0-9a-f]{64}$/ } })
    t.same(events, [
      { event: 'stdout', data: { data: 'out\n' } },
      { event: 'stderr', data: { data: 'err\n' } },
      { event: 'exit', data: { exit_code: 3 } },
      { event: 'end', data: { reason: 'complete' } }
    ])
  }
})

t.test('bytes that are not UTF-8 come in base64, characters are never cut, and all bytes are there', async (t) => {
  const script = 'printf "caf\\303"; sleep 0.2; printf "\\251"; sleep 0.2; printf "\\377\\000\\376"; sleep 0.2; printf "end\\342\\202"'
  const { rest } = await openExecStream(t, url, id, { command: ['sh', '-c', script] })
  const pieces = (await rest()).filter(({ event }) => event === 'stdout').map(({ data }) => data)
  t.same(pieces, [{ data: 'caf' }, { data: 'é' }, { data: '/wD+', encoding: 'base64' }, { data: 'end' }, { data: '4oI=', encoding: 'base64' }])
})

t.test('output is cut where the caller wants it, and the command goes on', async (t) => {
  const body = { command: ['sh', '-c', 'yes | head -c 5000000; echo done >&2'], max_output: 100_000 }
  const { rest } = await openExecStream(t, url, id, body)
  const events = await rest()
  const text = events.filter(({ event }) => event === 'stdout').map(({ data }) => data.data).join('')
  t.equal(text.length, 100_000)
  t.same(events.slice(-3), [{ event: 'stderr', data: { data: 'done\n' } }, { event: 'exit', data: { exit_code: 0, truncated: true } }, { event: 'end', data: { reason: 'complete' } }])
  const { body: result } = await exec(body)
  t.match(result, { exit_code: 0, truncated: true, stderr: 'done\n' })
  t.equal(result.stdout.length, 100_000)
})

t.test('a stream that takes too long says so, and the command is ended', async (t) => {
  const { rest } = await openExecStream(t, url, id, { command: 'sleep 71', timeout: 0.5 })
  t.match((await rest()).at(-1), { event: 'end', data: { reason: 'timeout', code: 'exec_timeout' } })
  t.notMatch(await processes(), /sleep 71/)
})

t.test('a timeout tells whether the command was ended, also for a user without rights', async (t) => {
  const { status, body } = await api.post<Problem>(`/containers/${id}/exec`, { command: ['sh', '-c', 'sleep 72 & sleep 72'], user: '1000', timeout: 0.5 })
  t.match({ status, body }, { status: 504, body: { code: 'exec_timeout', ended: true, exec_id: /^[0-9a-f]{64}$/ } })
  t.notMatch(await processes(), /sleep 72/)
})

t.test('a client that leaves a stream ends its command', async (t) => {
  const { next, leave } = await openExecStream(t, url, id, { command: 'sleep 73' })
  t.match(await next(), { event: 'started' })
  t.match(await processes(), /sleep 73/)
  leave()
  while (/sleep 73/.test(await processes()));
  await until(() => app.streams.open === 0)
})

t.test('detached: the answer comes at once, the command goes on, and its end is seen in the list', async (t) => {
  const { status, body } = await api.post(`/containers/${id}/exec`, { command: ['sh', '-c', 'while [ ! -e /tmp/go ]; do sleep 0.05; done; exit 5'], detach: true })
  t.match({ status, body }, { status: 202, body: { id, exec_id: /^[0-9a-f]{64}$/, status: 'running' } })
  const find = async () => (await list()).find(({ exec_id: execId }) => execId === body.exec_id)!
  t.match(await find(), { running: true, exit_code: null, detached: true, ended_at: null })
  await exec({ command: 'touch /tmp/go' })
  await until(async () => !(await find()).running)
  t.match(await find(), { running: false, exit_code: 5, ended_at: /Z$/ })
  t.match(await api.post(`/containers/${id}/exec`, { command: 'cat', detach: true, stdin: 'x' }), { status: 400, body: { errors: [{ pointer: '/stdin' }] } })
  t.match(await api.post(`/containers/${id}/exec`, { command: 'no-such-program', detach: true }), { status: 400, body: { code: 'invalid_command' } })
})

t.test('a detached command with a timeout is ended then', async (t) => {
  const { body } = await api.post(`/containers/${id}/exec`, { command: 'sleep 74', detach: true, timeout: 0.3 })
  await until(async () => (await list()).some(({ exec_id: execId, exit_code: code }) => execId === body.exec_id && code === 137))
  t.notMatch(await processes(), /sleep 74/)
})

t.test('commands are listed, the last one first, with what passed', async (t) => {
  await exec({ command: 'cat', stdin: 'hello' })
  const running = await openExecStream(t, url, id, { command: ['sh', '-c', 'printf abc; sleep 75'], user: '1000' })
  await running.until(({ event }) => event === 'stdout')
  t.match((await list()).slice(0, 2), [
    { command: ['sh', '-c', 'printf abc; sleep 75'], user: '1000', running: true, exit_code: null, bytes: { stdin: 0, stdout: 3, stderr: 0 } },
    { command: ['cat'], user: null, running: false, exit_code: 0, bytes: { stdin: 5, stdout: 5, stderr: 0 } }
  ])
  running.leave()
})

t.test('a command is killed by id, or sent another signal', async (t) => {
  const stream = await openExecStream(t, url, id, { command: ['sh', '-c', 'trap "echo caught; exit 9" TERM; while :; do sleep 0.05; done'] })
  const { data: { exec_id: execId } } = (await stream.next())!
  await until(async () => /trap/.test(await processes()))
  t.match(await api.delete(`/containers/${id}/execs/${String(execId)}?signal=SIGTERM`), { status: 200, body: { running: false, exit_code: 9 } })
  const seen = await stream.rest()
  t.match(seen.find(({ event }) => event === 'stdout'), { data: { data: 'caught\n' } })
  t.match(seen.at(-2), { event: 'exit', data: { exit_code: 9 } })

  const other = await openExecStream(t, url, id, { command: 'sleep 76' })
  const { data } = (await other.next())!
  t.match(await api.delete(`/containers/${id}/execs/${String(data.exec_id)}`), { status: 200, body: { running: false, exit_code: 137 } })
  t.match((await other.rest()).at(-2), { event: 'exit', data: { exit_code: 137 } })
  t.match(await api.delete(`/containers/${id}/execs/${String(data.exec_id)}`), { status: 409, body: { code: 'exec_ended' } })
  t.match(await api.delete(`/containers/${id}/execs/${'0'.repeat(64)}`), { status: 404, body: { code: 'exec_not_found' } })
  t.match(await api.delete(`/containers/${id}/execs/${String(data.exec_id)}?signal=SIGNONSENSE`), { status: 400 })
})

t.test('a program that is not there is a result', async (t) => {
  const { rest } = await openExecStream(t, url, id, { command: 'no-such-program' })
  t.match((await rest()).slice(-2), [{ event: 'exit', data: { exit_code: /12[67]/ } }, { event: 'end', data: { reason: 'complete' } }])
})

t.test('a paused container and a stopped one are conflicts', async (t) => {
  const { body: { id: other } } = await api.run<RunResult>({ image, container_port: 80, command: ['sleep', '600'] })
  const refused = () => api.post(`/containers/${other}/exec`, { command: 'true' })
  await api.post(`/containers/${other}/pause`)
  t.match(await refused(), { status: 409, body: { code: 'container_paused' } })
  await api.post(`/containers/${other}/unpause`)
  await api.post(`/containers/${other}/stop?timeout=0`)
  t.match(await refused(), { status: 409, body: { code: 'container_not_running' } })
  t.match((await api.post(`/containers/${other}/exec`, { command: 'true', detach: true })).status, 409)
})

t.test('a command that does not read its stdin still gives its output', async (t) => {
  const stdin = 'x'.repeat(900_000)
  for (let round = 0; round < 5; round++) {
    const results = await Promise.all(Array.from({ length: 8 }, () => exec({ command: 'sh -c "yes | head -c 150000"', stdin })))
    for (const { body } of results) t.match({ code: body.exit_code, length: body.stdout.length }, { code: 0, length: 150_000 })
  }
})

t.test('a command that closes its outputs is waited for', async (t) => {
  t.match((await exec({ command: ['sh', '-c', 'exec >&- 2>&-; sleep 0.5; exit 4'] })).body, { exit_code: 4, stdout: '' })
})

t.end()
