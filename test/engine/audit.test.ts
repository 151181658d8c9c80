import t from 'tap'
import type { ContainerInfo } from '../../schemas/containers.ts'
import type { AuditEntry } from '../../schemas/audit.ts'
import { saveImages } from '../../src/images/archive.ts'
import { methodsOf, collectRoutes } from '../support/routes.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, TEST_LABELS, TEST_RUN } from '../support/engine.ts'
import { createLog } from '../support/log.ts'
import { openSocket } from '../support/socket-client.ts'
import { until } from '../support/until.ts'
import { createTar } from '../../scripts/images.ts'

type Sent = { status: number, headers: Headers, text: string }
type Case = { do (id: string): Promise<unknown>, expect?: Partial<AuditEntry> }

const OWNER = 'a-secret-of-24-characters'
/** What must never be told: in an environment, a command, a file, a password of a registry, and a token. */
const CANARY = `canary-${TEST_RUN}`
const engine = createTestEngine(t)
const log = createLog()
const { app: { url }, routes } = await collectRoutes(() => listenTestApp(t, { DOCKAPI_TOKEN: OWNER, DOCKAPI_GATEWAY_PORT: '0' }, log))
const suffix = TEST_RUN.replaceAll('.', '-')
let count = 0

const image = `audit-app-${suffix}:1`
const dockerfile = `FROM ${await busyboxImage(engine)}\nLABEL dockapi-test=${TEST_RUN}\nEXPOSE 80\nSTOPSIGNAL SIGKILL\nCMD ["sleep", "600"]\n`
if ((await send('POST', '/images/build', { body: { dockerfile, name: image } })).status !== 200) throw new Error('The image could not be built.')

async function send (method: string, path: string, { id, body, type = 'application/json', token = OWNER, accept }: { id?: string, body?: unknown, type?: string, token?: string | null, accept?: string } = {}): Promise<Sent> {
  const answer = await fetch(url + path, {
    method,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...(id === undefined ? {} : { 'x-request-id': id }), ...(body === undefined ? {} : { 'content-type': type }), ...(accept === undefined ? {} : { accept }) },
    ...(body === undefined ? {} : { body: body instanceof Buffer ? new Uint8Array(body) : JSON.stringify(body) })
  })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

async function run (body: object = {}): Promise<ContainerInfo> {
  const { text, status } = await send('POST', '/containers/run', { body: { image, name: `audit-${suffix}-${count++}`, labels: TEST_LABELS, env: { SECRET: CANARY }, ...body } })
  if (status !== 201) throw new Error(text)
  return JSON.parse(text) as ContainerInfo
}

async function list (query: string): Promise<AuditEntry[]> {
  const { text, status } = await send('GET', `/audit?${query}`)
  if (status !== 200) throw new Error(text)
  return JSON.parse(text) as AuditEntry[]
}

/** The entries of a request, once there is one. */
async function entriesOf (id: string): Promise<AuditEntry[]> {
  let found: AuditEntry[] = []
  await until(async () => {
    found = (await list('limit=1000')).filter(({ request_id: requestId }) => requestId === id)
    return found.length > 0
  })
  return found
}

async function imageId (): Promise<string> {
  const { text } = await send('GET', `/images/inspect?image=${tag}:1`)
  return (JSON.parse(text) as { id: string }).id.replace('sha256:', '')
}

const headersFor = (id: string) => ({ headers: { authorization: `Bearer ${OWNER}`, 'x-request-id': id } })
const main = await run()
const tag = `audit-${suffix}`
const route = { name: tag, rule: `Host(\`${tag}.example\`)`, upstreams: [{ url: 'http://127.0.0.1:9' }] }
const of = (container: ContainerInfo) => ({ container_id: container.id, container: container.name, image })
const onMain = (method: string, verb: string, body?: unknown): Case => ({ do: async (id) => await send(method, `/containers/${main.name}${verb}`, { id, body }), expect: of(main) })

/** One real call of every operation that changes something, in an order in which each finds what it needs. */
const CASES: Record<string, Case> = {
  runContainer: { do: async (id) => await send('POST', '/containers/run', { id, body: { image, name: `${tag}-run`, labels: TEST_LABELS, env: { SECRET: CANARY } } }), expect: { container: `${tag}-run`, image, status: 201 } },
  launchContainer: { do: async (id) => JSON.parse((await send('POST', '/containers', { id, body: { image } })).text) as object, expect: { image, status: 201 } },
  updateContainer: onMain('PATCH', '', { memory: '128m' }),
  pauseContainer: onMain('POST', '/pause'),
  unpauseContainer: onMain('POST', '/unpause'),
  stopContainer: onMain('POST', '/stop?timeout=0'),
  startContainer: onMain('POST', '/start'),
  restartContainer: onMain('POST', '/restart?timeout=0'),
  scaleContainer: onMain('PUT', '/replicas', { replicas: 2 }),
  execInContainer: onMain('POST', '/exec', { command: ['echo', CANARY], env: { SECRET: CANARY } }),
  openExec: {
    async do (id) {
      const socket = await openSocket(t, `${url}/containers/${main.id}/exec?command=echo&command=${CANARY}`, headersFor(id))
      await socket.closed()
    },
    expect: { ...of(main), status: 101 }
  },
  killExec: {
    async do (id) {
      const { exec_id: execId } = JSON.parse((await send('POST', `/containers/${main.id}/exec`, { body: { command: ['sleep', '600'], detach: true } })).text) as { exec_id: string }
      await send('DELETE', `/containers/${main.id}/execs/${execId}?signal=SIGKILL`, { id })
    },
    expect: of(main)
  },
  writeContainerFiles: { do: async (id) => await send('PUT', `/containers/${main.id}/files?path=/tmp/secret`, { id, body: Buffer.from(CANARY), type: 'application/octet-stream' }), expect: of(main) },
  renameContainer: { do: async (id) => await send('POST', `/containers/${main.id}/rename`, { id, body: { name: `${tag}-renamed` } }), expect: { ...of(main), subject: `${tag}-renamed` } },
  killContainer: { do: async (id) => await send('POST', `/containers/${main.id}/kill`, { id }), expect: { container_id: main.id, container: `${tag}-renamed` } },
  removeContainer: { do: async (id) => await send('DELETE', `/containers/${main.id}?force=true`, { id }), expect: { container_id: main.id, container: `${tag}-renamed` } },
  createApiContainer: { do: async (id) => await send('POST', '/api/containers', { id, body: { image, name: `${tag}-api` } }), expect: { container: `${tag}-api`, image, status: 200 } },
  startApiContainer: { do: async (id) => await send('POST', `/api/containers/${tag}-api/start`, { id }), expect: { container: `${tag}-api`, image } },
  stopApiContainer: { do: async (id) => await send('POST', `/api/containers/${tag}-api/stop`, { id }), expect: { container: `${tag}-api`, image } },
  deleteApiContainer: { do: async (id) => await send('DELETE', `/api/containers/${tag}-api`, { id }), expect: { container: `${tag}-api`, image } },
  pullImage: { do: async (id) => await send('POST', '/images/pull', { id, body: { image: '127.0.0.1:1/nothing:1', auth: { username: 'joe', password: CANARY } } }), expect: { image: '127.0.0.1:1/nothing:1', result: 'registry_unreachable' } },
  watchPull: {
    async do (id) {
      const socket = await openSocket(t, `${url}/images/pull?image=127.0.0.1:1/nothing:2`, headersFor(id))
      await socket.closed()
    },
    expect: { image: '127.0.0.1:1/nothing:2', status: 101, result: 'registry_unreachable' }
  },
  buildImage: { do: async (id) => await send('POST', '/images/build', { id, body: { dockerfile, name: `${tag}:1` } }), expect: { image: new RegExp(`${tag}:1$`) as unknown as string, subject: null } },
  watchBuild: {
    async do (id) {
      const socket = await openSocket(t, `${url}/images/build?name=${tag}:2`, headersFor(id))
      for (const chunk of await (await createTar([{ path: 'Dockerfile', content: dockerfile }])).toArray() as Buffer[]) socket.ws.send(chunk)
      socket.ws.send('{"type":"eof"}')
      await socket.closed()
    },
    expect: { image: new RegExp(`${tag}:2$`) as unknown as string, status: 101 }
  },
  tagImage: { do: async (id) => await send('POST', '/images/tag', { id, body: { image: `${tag}:1`, name: `${tag}:3` } }), expect: { image: `${tag}:1`, subject: `${tag}:3` } },
  loadImages: { do: async (id) => await send('POST', '/images/load', { id, body: Buffer.concat(await (await saveImages(engine, [`${tag}:1`], AbortSignal.timeout(60_000))).toArray() as Buffer[]), type: 'application/x-tar' }) },
  pruneImages: { do: async (id) => await send('POST', '/images/prune', { id, body: { dry_run: true } }) },
  deleteApiImageTag: { do: async (id) => await send('DELETE', `/api/images/${await imageId()}/tags/3?name=${tag}`, { id }), expect: { image: /^[0-9a-f]{12}/ as unknown as string, subject: '3' } },
  removeImage: { do: async (id) => await send('DELETE', `/images?image=${tag}:2`, { id }), expect: { image: `${tag}:2` } },
  // A container runs on this image.
  deleteApiImage: { do: async (id) => await send('DELETE', `/api/images/${await imageId()}`, { id }), expect: { result: 'image_in_use', status: 409, image: /^[0-9a-f]{12}/ as unknown as string } },
  createRoute: { do: async (id) => await send('POST', '/routes', { id, body: route }), expect: { subject: tag, status: 201 } },
  replaceRoute: { do: async (id) => await send('PUT', `/routes/${tag}@api`, { id, body: route }), expect: { subject: `${tag}@api` } },
  undoRoute: { do: async (id) => await send('POST', `/routes/${tag}@api/undo`, { id }), expect: { subject: `${tag}@api` } },
  removeRoute: { do: async (id) => await send('DELETE', `/routes/${tag}@api`, { id }), expect: { subject: `${tag}@api`, status: 204 } },
  overrideRoute: { do: async (id) => await send('PUT', `/routes/${tag}-run@docker/override`, { id, body: { priority: 7 } }), expect: { subject: `${tag}-run@docker` } },
  restoreRoute: { do: async (id) => await send('DELETE', `/routes/${tag}-run@docker/override`, { id }), expect: { subject: `${tag}-run@docker`, status: 204 } },
  putMiddleware: { do: async (id) => await send('PUT', `/middlewares/${tag}`, { id, body: { add_prefix: { prefix: '/x' } } }), expect: { subject: tag } },
  undoMiddleware: { do: async (id) => await send('POST', `/middlewares/${tag}/undo`, { id }), expect: { subject: tag } },
  removeMiddleware: {
    async do (id) {
      await send('PUT', `/middlewares/${tag}`, { body: { add_prefix: { prefix: '/x' } } })
      await send('DELETE', `/middlewares/${tag}`, { id })
    },
    expect: { subject: tag, status: 204 }
  },
  createToken: { do: async (id) => await send('POST', '/tokens', { id, body: { name: tag, scopes: ['read'] } }), expect: { subject: tag, status: 201 } },
  revokeToken: { do: async (id) => await send('DELETE', `/tokens/${tag}`, { id }), expect: { subject: tag } }
}

const changes = routes.filter(({ config, url }) => config?.proxied !== true && config?.public !== true && url !== '*')
  .flatMap((route) => methodsOf(route).map((method) => ({ method, route })))
  .filter(({ method, route: { config } }) => config?.change ?? (!['GET', 'HEAD', 'OPTIONS'].includes(method) && config?.scope !== 'read'))
  .map(({ route: { schema } }) => (schema as { operationId: string }).operationId)

t.test('S23: every operation that changes something is called here', async (t) => {
  t.same([...changes].sort(), Object.keys(CASES).sort())
})

for (const [operation, { do: call, expect = {} }] of Object.entries(CASES)) {
  t.test(`${operation} is one entry`, async (t) => {
    const id = `audit-${operation}`
    await call(id)
    const entries = await entriesOf(id)
    t.equal(entries.length, 1)
    t.match(entries[0], { operation, principal: 'DOCKAPI_TOKEN', token_id: null, peer: '127.0.0.1', result: 'ok', ...expect }, JSON.stringify(entries[0]))
    if ('container' in expect) t.match(entries[0]!.container_id, /^[0-9a-f]{64}$/)
  })
}

t.test('what is refused is an entry too: no token, no scope, a foreign container, a bad body', async (t) => {
  const reader = JSON.parse((await send('POST', '/tokens', { body: { name: `${tag}-reader`, scopes: ['read', 'run'], labels: { tenant: 'x' } } })).text) as { token: string, id: string }
  const other = await run()
  const calls: Array<[string, Partial<AuditEntry>, Promise<Sent>]> = [
    ['no-token', { result: 'unauthorized', status: 401, principal: 'nobody', operation: 'stopContainer', container: 'web' }, send('POST', '/containers/web/stop', { id: 'no-token', token: null })],
    ['wrong-token', { result: 'unauthorized', status: 401, principal: 'nobody' }, send('POST', '/containers/web/stop', { id: 'wrong-token', token: `dockapi_${'x'.repeat(43)}` })],
    ['no-scope', { result: 'scope_missing', status: 403, principal: `${tag}-reader`, token_id: reader.id, operation: 'createToken' }, send('POST', '/tokens', { id: 'no-scope', body: { name: 'x', scopes: ['admin'] }, token: reader.token })],
    ['foreign', { result: 'container_not_found', status: 404, container: other.name, container_id: null }, send('DELETE', `/containers/${other.name}`, { id: 'foreign', token: reader.token })],
    ['bad-body', { result: 'invalid_request', status: 400, operation: 'runContainer', image }, send('POST', '/containers/run', { id: 'bad-body', body: { image, what: 1 } })],
    ['no-socket', { result: 'websocket_required', status: 426, operation: 'openExec', container_id: other.id }, send('GET', `/containers/${other.id}/exec?command=ls`, { id: 'no-socket' })]
  ]
  await Promise.all(calls.map(([, , answer]) => answer))
  for (const [id, expected] of calls) {
    const entries = await entriesOf(id)
    t.equal(entries.length, 1, id)
    t.match(entries[0], expected, id)
  }
})

t.test('a stream is one entry, at its end, and says how it ended', async (t) => {
  const { id } = await run()
  const leaving = new AbortController()
  const answer = await fetch(`${url}/containers/${id}/exec`, { method: 'POST', signal: leaving.signal, headers: { ...headersFor('left').headers, 'content-type': 'application/json', accept: 'application/x-ndjson' }, body: JSON.stringify({ command: ['sh', '-c', 'echo started; sleep 600'] }) })
  await answer.body!.getReader().read()
  t.same((await list('limit=1000')).filter(({ request_id: requestId }) => requestId === 'left'), [], 'none while it runs')
  leaving.abort()
  t.match(await entriesOf('left'), [{ operation: 'execInContainer', result: 'client_gone', container_id: id }])
})

t.test('the end of a launch is what its entry tells', async (t) => {
  await send('POST', '/api/containers', { id: 'launch-fails', body: { image: '127.0.0.1:1/nothing:3', name: `${tag}-fails` } })
  t.match(await entriesOf('launch-fails'), [{ operation: 'createApiContainer', status: 200, result: 'registry_unreachable', container: `${tag}-fails`, container_id: null }])
})

t.test('what dockAPI does by itself is an entry of its own', async (t) => {
  const { token } = JSON.parse((await send('POST', '/tokens', { body: { name: `${tag}-brief`, scopes: ['run'], limits: { lifetime: '1s' } } })).text) as { token: string }
  // The dockAPI of another test may be quicker: who ended it has the entry.
  for (let entries: AuditEntry[] = []; entries.length === 0;) {
    const { id, name } = JSON.parse((await send('POST', '/containers/run', { token, body: { image, labels: TEST_LABELS } })).text) as ContainerInfo
    await until(async () => (await send('GET', `/containers/${id}`)).status !== 200)
    entries = await list(`container=${id}&principal=dockapi`)
    if (entries.length > 0) t.match(entries, [{ operation: 'expireContainer', container_id: id, container: name, image, result: 'ok', status: null, request_id: null, peer: null, token_id: null }])
  }
})

t.test('what only reads is no entry', async (t) => {
  for (const [method, path] of [['GET', '/containers'], ['HEAD', '/containers'], ['GET', '/routes'], ['POST', '/tickets'], ['GET', '/nowhere'], ['POST', '/nowhere']] as const) await send(method, path, { id: 'reads' })
  await send('POST', `/containers/${(await run()).id}/stop?timeout=0`, { id: 'after' })
  await entriesOf('after')
  t.same((await list('limit=1000')).filter(({ request_id: id }) => id === 'reads'), [])
})

t.test('the list has filters, pages and two forms', async (t) => {
  const container = await run()
  await send('POST', `/containers/${container.id}/stop?timeout=0`, { id: 'page-1' })
  await send('POST', `/containers/${container.id}/start`, { id: 'page-2' })
  await entriesOf('page-2')
  const mine = await list(`container=${container.name}`)
  t.same(mine.map(({ operation }) => operation), ['startContainer', 'stopContainer', 'runContainer'])
  t.same(await list(`container=${container.id.slice(0, 12)}&operation=stopContainer&result=ok&principal=DOCKAPI_TOKEN&since=1h`), [mine[1]])
  const first = await send('GET', `/audit?container=${container.name}&limit=2`)
  const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1]
  t.same(JSON.parse(first.text), mine.slice(0, 2))
  const last = await send('GET', next!.slice(url.length))
  t.same(JSON.parse(last.text), mine.slice(2))
  t.equal(last.headers.get('link'), null)
  const lines = await send('GET', `/audit?container=${container.name}`, { accept: 'application/x-ndjson' })
  t.match(lines.headers.get('content-type'), /^application\/x-ndjson/)
  t.same(lines.text.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown), mine)
  t.equal((await send('GET', '/audit?since=yesterday')).status, 400)
  t.equal((await send('GET', '/audit?limit=0')).status, 400)
  t.equal((await send('GET', '/audit', { token: null })).status, 401)
})

t.test('the log has the same entries, each an object on a line of its own, and nothing secret is in either', async (t) => {
  const kept = await list('limit=1000')
  const logged = log.lines().flatMap(({ audit }) => audit === undefined ? [] : [audit as AuditEntry])
  t.same(logged.toReversed().slice(0, kept.length), kept.map(({ id: _id, ...entry }) => entry))
  for (const secret of [CANARY, OWNER]) {
    t.notOk(JSON.stringify(kept).includes(secret), 'the audit has no secret')
    t.equal(log.raw.find((line) => line.includes(secret)), undefined, 'the log has no secret')
  }
})

t.test('S22: hostile names stay within their line', async (t) => {
  const before = log.raw.length
  const name = encodeURIComponent('\u001b]52;c;AAAA\u0007\r\n{"audit":1}\u202e')
  await send('POST', `/containers/${name}/stop`, { id: 'hostile' })
  const [entry] = await entriesOf('hostile')
  t.match(entry, { result: 'invalid_request', container: '\\u001b]52;c;AAAA\\u0007\\u000d\\u000a{"audit":1}\\u202e' })
  for (const line of log.raw.slice(before)) {
    t.equal(typeof JSON.parse(line), 'object')
    t.notMatch(line.slice(0, -1), /[\p{Cc}\p{Cf}]/u)
  }
})

t.test('a shutdown writes what it cuts', async (t) => {
  const other = createLog()
  const { app: second, url: secondUrl } = await listenTestApp(t, { DOCKAPI_TOKEN: OWNER }, other)
  const { id } = await run()
  const answer = await fetch(`${secondUrl}/containers/${id}/exec`, { method: 'POST', headers: { ...headersFor('cut').headers, 'content-type': 'application/json', accept: 'application/x-ndjson' }, body: JSON.stringify({ command: ['sh', '-c', 'echo started; sleep 600'] }) })
  await answer.body!.getReader().read()
  await second.close()
  t.equal(other.lines().filter(({ audit }) => (audit as AuditEntry | undefined)?.request_id === 'cut').length, 1)
})

t.end()
