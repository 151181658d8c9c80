import { randomUUID } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { BuildResult } from '../../schemas/build.ts'
import type { ImageDetail } from '../../schemas/images.ts'
import type { Problem } from '../../schemas/problem.ts'
import { createTar } from '../../scripts/images.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, TEST_LABEL, TEST_LABELS, TEST_RUN } from '../support/engine.ts'
import { openSocket } from '../support/socket-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const base = await busyboxImage(engine)
const { url } = await listenTestApp(t)
const api = createClient(url)

const build = <T = BuildResult> (body: object) => api.post<T>('/images/build', { labels: TEST_LABELS, ...body })

async function buildTar (query: string, body: string | Uint8Array<ArrayBuffer>, type = 'application/x-tar', accept = '*/*'): Promise<Response> {
  return await fetch(`${url}/images/build?label=${TEST_LABEL}%3D${TEST_RUN}&${query}`, { method: 'POST', body, headers: { 'content-type': type, accept } })
}

async function contextOf (dockerfile: string, file = 'Dockerfile'): Promise<Buffer<ArrayBuffer>> {
  return await buffer(await createTar([{ path: file, content: dockerfile }, { path: 'greeting', content: 'hello from a tar\n' }])) as Buffer<ArrayBuffer>
}

async function eventsOf (response: Response): Promise<Array<{ event: string } & Record<string, unknown>>> {
  return (await response.text()).trim().split('\n').map((line) => JSON.parse(line))
}

t.test('a Dockerfile as text becomes an image, with arguments, stage and labels', async (t) => {
  const name = `made-${randomUUID().slice(0, 8)}`
  const dockerfile = `FROM ${base} AS first\nARG WORD=none\nRUN echo "word is $WORD" && echo $WORD > /word\nFROM first\nRUN false\n`
  const { status, body } = await build({ dockerfile, name, target: 'first', build_args: { WORD: 'given' }, labels: { ...TEST_LABELS, own: 'yes' }, no_cache: true })
  t.match({ status, body }, { status: 200, body: { id: /^sha256:[0-9a-f]{64}$/, image: `${name}:latest`, log: /^Step 1\/5 : FROM .*word is given\n/s } })
  t.match((await api.get<ImageDetail>(`/images/inspect?image=${name}`)).body, { id: body.id, labels: { own: 'yes' } })
  t.match((await api.run({ image: name, detach: false, command: 'cat /word' })).body, { stdout: 'given\n' })
})

t.test('a tar is the context, plain or gzipped, with options in the query', async (t) => {
  const context = await contextOf(`FROM ${base}\nARG X\nCOPY greeting /greeting\nRUN echo "x=$X"; cat /greeting\n`, 'sub/Other')
  for (const [body, type] of [[context, 'application/x-tar'], [gzipSync(context), 'application/gzip'], [gzipSync(context), 'application/x-tar']] as const) {
    const response = await buildTar('file=sub/Other&build_arg=X=a%3Db&no_cache=true', body, type)
    t.match(await response.json(), { id: /^sha256:/, image: null, log: /x=a=b\nhello from a tar\n/ }, type)
  }
})

t.test('over a WebSocket: the tar in messages, then the log and the result', async (t) => {
  const context = await contextOf(`FROM ${base}\nCOPY greeting /greeting\nRUN cat /greeting\n`)
  const { ws, rest, closed } = await openSocket(t, `${url}/images/build?label=${TEST_LABEL}%3D${TEST_RUN}&no_cache=true`)
  for (let offset = 0; offset < context.length; offset += 1000) ws.send(context.subarray(offset, offset + 1000))
  ws.send('{"type":"eof"}')
  const events = await rest()
  t.match(events.slice(-2), [{ event: 'done', id: /^sha256:/, image: null }, { event: 'end', reason: 'complete' }])
  t.match(events.slice(0, -2).map(({ text }) => text).join(''), /hello from a tar\n/)
  t.same(await closed(), { code: 1000, reason: 'complete' })

  const failing = await openSocket(t, `${url}/images/build`)
  failing.ws.send(await contextOf(`FROM ${base}\nRUN false\n`))
  failing.ws.send('{"type":"eof"}')
  t.match((await failing.rest()).slice(-2), [{ event: 'error', code: 'build_failed' }, { event: 'end', reason: 'failed' }])
  t.match(await failing.closed(), { code: 1011 })
})

t.test('the log comes as text, lines or events, and ends with the result', async (t) => {
  const context = await contextOf(`FROM ${base}\nRUN echo first; echo second\n`)
  const lines = await eventsOf(await buildTar('no_cache=true', context, undefined, 'application/x-ndjson'))
  t.match(lines.at(-1), { event: 'done', id: /^sha256:/ })
  t.match(lines.filter(({ event }) => event === 'log').map(({ text }) => text).join(''), /Step 2\/\d+ : RUN .*first\nsecond\n/s)
  const text = await buildTar('no_cache=true', context, undefined, 'text/plain')
  t.match(text.headers.get('content-type'), /^text\/plain/)
  t.match(await text.text(), /^Step 1\/\d+ : FROM .*second\n.*Successfully built [0-9a-f]{12}\n$/s)
  t.match(await (await buildTar('', context, undefined, 'text/event-stream')).text(), /\nevent: done\ndata: \{"id":"sha256:[^\n]+\n\n$/)
})

t.test('a step that fails is an error that names it', async (t) => {
  const dockerfile = `FROM ${base}\nRUN echo before; exit 7\n`
  const { status, body } = await build<Problem>({ dockerfile })
  t.match({ status, body }, { status: 400, body: { code: 'build_failed', detail: /exit 7.*code: 7/, step: /^Step 2\/\d+ : RUN echo before; exit 7/, log_tail: /before\n/ } })
  const context = await contextOf(dockerfile)
  t.match((await eventsOf(await buildTar('', context, undefined, 'application/x-ndjson'))).at(-1), { event: 'error', code: 'build_failed', step: /^Step 2/ })
  t.match(await (await buildTar('', context, undefined, 'text/plain')).text(), /\nError: .*exit 7.*\n$/)
  t.match(await build({ dockerfile: 'NONSENSE here\n' }), { status: 400, body: { code: 'build_failed', step: null, detail: /unknown instruction/i } })
  t.match(await build({ dockerfile: 'FROM 127.0.0.1:1/nothing:1\n' }), { status: 400, body: { code: 'registry_unreachable' } })
  for (const file of ['Dockerfile', '../other']) {
    const response = await buildTar(`file=${file}`, await contextOf(`FROM ${base}\n`, 'other'))
    t.match({ status: response.status, body: await response.json() }, { status: 400, body: { code: 'build_failed', step: null, hint: /say with file/ } }, file)
  }
  t.match(await build({ dockerfile: `FROM ${base}\n`, target: 'none' }), { status: 400, body: { code: 'build_failed' } })
})

t.test('what is no build is refused before the engine is asked', async (t) => {
  for (const [body, pointer] of [
    [{}, '/dockerfile'], [{ dockerfile: 'FROM a', name: 'Upper' }, '/name'], [{ dockerfile: 'FROM a', name: `a@sha256:${'a'.repeat(64)}` }, '/name'],
    [{ dockerfile: 'FROM a', network_mode: 'host' }, '/network_mode'], [{ dockerfile: 'FROM a', networkmode: 'host' }, '/networkmode']
  ] as const) t.match(await api.post('/images/build', body), { status: 400, body: { errors: [{ pointer }] } }, pointer)
  t.match(await api.post('/images/build?name=a', { dockerfile: 'FROM a' }), { status: 400, body: { errors: [{ where: 'query', pointer: '/name' }] } })
  t.match(await api.post('/images/build?networkmode=host', { dockerfile: 'FROM a' }), { status: 400, body: { errors: [{ where: 'query', pointer: '/networkmode' }] } })
  for (const body of ['no tar', '', Buffer.alloc(4096, 1), gzipSync('no tar'), gzipSync(Buffer.alloc(9000, 7)).subarray(0, 20)]) {
    const response = await buildTar('', body as string)
    t.match({ status: response.status, body: await response.json() }, { status: 400, body: { code: 'invalid_request' } }, String(body).slice(0, 10))
  }
  t.match(await (await buildTar('', 'text', 'text/plain')).json(), { status: 415, hint: /application\/x-tar/ })
})

t.test('a client that leaves ends the build', async (t) => {
  const mark = randomUUID()
  const leaving = new AbortController()
  const response = await fetch(`${url}/images/build`, {
    method: 'POST', signal: leaving.signal, headers: { 'content-type': 'application/json', accept: 'text/plain' }, body: JSON.stringify({ dockerfile: `FROM ${base}\nLABEL ${TEST_LABEL}=${TEST_RUN} mark=${mark}\nRUN sleep 600\n`, labels: TEST_LABELS })
  })
  const running = async () => await engine.call('test.list', (docker, abortSignal) => docker.listContainers({ filters: { label: [`mark=${mark}`] }, abortSignal }))
  await until(async () => (await running()).length === 1)
  const id = (await running())[0]!.Id
  t.match(await engine.call('test.inspect', (docker, abortSignal) => docker.getContainer(id).inspect({ abortSignal })), { HostConfig: { Memory: 1024 ** 3, CpuQuota: 100_000, NetworkMode: 'default' } })
  leaving.abort()
  await t.rejects(response.text())
  await until(async () => (await running()).length === 0)
})

t.end()
