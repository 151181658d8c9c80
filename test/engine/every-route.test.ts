import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import { createTestApp } from '../support/app.ts'
import { createChaosSocket } from '../support/chaos-socket.ts'
import { documentedCalls } from '../support/documented-calls.ts'
import type { Call } from '../support/documented-calls.ts'
import { nodeImage, createTestEngine, startTestContainer } from '../support/engine.ts'
import { connect } from '../support/raw-client.ts'
import { collectRoutes } from '../support/routes.ts'
import { until } from '../support/until.ts'

type Sent = { call: Call, how: string, status: number, code: string | undefined, body: string, headers: Record<string, unknown> }

const TOKEN = 'a-secret-of-24-characters'
const BEARER = { authorization: `Bearer ${TOKEN}` }
const EVIL = 'https://evil.test'
const UPGRADE = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }

const engine = createTestEngine(t)
const image = await nodeImage(engine)
const { id } = await startTestContainer(engine, { image, command: ['sleep', '600'], labels: { 'dockapi.managed': 'true' } })
/** What the product asks by itself, at any time, also of the containers of tests beside this one. */
const OWN_CALLS = new RegExp(`^(HEAD|GET) (/v[\\d.]+)?/(_ping|version|info|events|containers/json|containers/(?!${id})[0-9a-f]{64}/(json|logs))\\b`)
const chaos = await createChaosSocket(t)
const open = await listen({})
const closed = await listen({ DOCKAPI_TOKEN: TOKEN })
const { calls } = open
const writes = calls.filter(({ method }) => !/^(GET|HEAD|OPTIONS|TRACE)$/.test(method))
const own = ({ route }: Call) => route.config?.proxied !== true

/** The production app before the real engine, whose calls are counted; every route of it. */
async function listen (env: Record<string, string>) {
  const { app, routes } = await collectRoutes(() => createTestApp(t, { DOCKER_HOST: chaos.host, DOCKAPI_RATE_LIMIT: '0', ...env }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, port: Number(new URL(app.listeningOrigin).port), calls: documentedCalls(app.swagger(), routes) }
}

async function send (app: typeof open.app, call: Call, how: string, headers: Record<string, string>, payload?: string): Promise<Sent> {
  const url = `${call.path.replace(':id', id)}?${call.query}`
  const response = await app.inject({ method: call.method, url, headers, ...(payload === undefined ? {} : { payload }) })
  const { statusCode: status, body } = response
  const code = body.startsWith('{') ? (JSON.parse(body) as { code?: string }).code : undefined
  return { call, how, status, code, body, headers: response.headers }
}

/** Asks for a WebSocket on a connection of its own. @returns The first line of the answer. */
async function upgrade (t: Test, port: number, call: Call, headers: Record<string, string>): Promise<string> {
  const client = await connect(t, port)
  const all = { host: 'localhost', ...UPGRADE, ...headers }
  await client.send(`GET ${call.path.replace(':id', id)}?${call.query} HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
  const text = await client.until((text) => text.includes('\r\n\r\n'))
  client.reset()
  return text.split('\r\n', 1)[0]!
}

/** Runs what must not reach the engine. */
async function withoutEngine (t: Test, attack: () => Promise<void>): Promise<void> {
  // What was noticed of the container that has just started comes first.
  const calls = () => chaos.requests.filter((line) => !OWN_CALLS.test(line))
  let before
  do {
    before = calls().length
    await delay(100)
  } while (calls().length > before)
  await attack()
  t.same(calls().slice(before), [], 'the engine hears nothing of it')
}

/** A command in the container, through the API. */
async function exec (command: string[]): Promise<{ stdout: string }> {
  return (await open.app.inject({ method: 'POST', url: `/containers/${id}/exec`, payload: { command } })).json()
}

const told = ({ call, how, status, code }: Sent) => `${call.name} ${how}: ${status} ${code}`

t.test('there is something to try, and the engine is heard', async (t) => {
  for (const name of ['POST /containers/run', 'GET /containers/:id/exec', 'GET /proxy/:id/*', 'DELETE /containers/:id', 'POST /api/containers']) t.ok(calls.some((call) => call.name === name), name)
  await until(async () => (await exec(['echo', 'heard'])).stdout === 'heard\n')
  t.ok(chaos.requests.some((line) => !OWN_CALLS.test(line) && line.startsWith('POST ')))
})

t.test('S1: no route, no method and no upgrade answers under a name that was re-pointed here', async (t) => {
  await withoutEngine(t, async () => {
    const sent: Sent[] = []
    for (const host of ['evil.test:8000', 'localhost.evil.test', 'evil.localhost']) for (const call of calls) sent.push(await send(open.app, call, host, { host, 'content-type': 'application/json' }, call.payload && JSON.stringify(call.payload)))
    t.same(sent.filter(({ call, status, code }) => status !== 403 || (call.method as string !== 'HEAD' && code !== 'host_not_allowed')).map(told), [])
    for (const call of calls.filter(({ method }) => method === 'GET')) t.match(await upgrade(t, open.port, call, { host: 'evil.test:8000' }), /^HTTP\/1\.1 403 /, call.name)
  })
})

t.test('S2 S4: no page of elsewhere changes anything on any route, and none is told that it may', async (t) => {
  await withoutEngine(t, async () => {
    const sent: Sent[] = []
    for (const page of [{ origin: EVIL }, { origin: 'null' }, { origin: 'http://app1.localhost' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }] as Array<Record<string, string>>) {
      for (const call of writes.filter(own)) sent.push(await send(open.app, call, JSON.stringify(page), { ...page, 'content-type': 'application/json' }, call.payload && JSON.stringify(call.payload)))
    }
    t.same(sent.filter(({ status, code }) => status !== 403 || code !== 'origin_not_allowed').map(told), [])
    for (const call of calls.filter(own)) sent.push(await send(open.app, { ...call, method: 'OPTIONS' as 'GET' }, 'preflight', { origin: EVIL, 'access-control-request-method': call.method, 'access-control-request-private-network': 'true' }))
    t.same(sent.filter(({ headers }) => Object.keys(headers).some((name) => name.startsWith('access-control-'))).map(told), [])
  })
})

t.test('S3: what a form or a page can send without asking is 415 wherever a body is taken', async (t) => {
  const types = ['text/plain', 'text/plain;charset=UTF-8', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', undefined]
  await withoutEngine(t, async () => {
    const sent: Sent[] = []
    for (const type of types) {
      // The contract of front-ends: programs and own pages may send JSON as text there. Files are of any type, and sent by PUT, which no form can.
      for (const call of writes.filter(({ payload, name }) => payload !== undefined && !(name === 'POST /api/containers' && type?.startsWith('text/plain') === true))) sent.push(await send(open.app, call, `${type}`, type === undefined ? {} : { 'content-type': type }, Buffer.from(JSON.stringify(call.payload)) as unknown as string))
    }
    t.same(sent.filter(({ status, code }) => status !== 415 || code !== 'unsupported_media_type').map(told), [])
  })
})

t.test('S3: no GET changes anything', async (t) => {
  const before = chaos.requests.length
  for (const { path, query, name, route } of calls.filter(({ method }) => method === 'GET')) {
    if (route.config?.proxied === true) continue
    await fetch(`http://127.0.0.1:${open.port}${path.replace(':id', id)}?${query}`, { signal: AbortSignal.timeout(1_000) }).then((answer) => answer.text()).catch((error: unknown) => { t.match(error, { name: 'TimeoutError' }, name) })
  }
  t.same(chaos.requests.slice(before).filter((line) => !/^(GET|HEAD) /.test(line)), [])
})

t.test('S5: a foreign page opens no socket on any route, whatever it knows', async (t) => {
  await withoutEngine(t, async () => {
    for (const call of calls.filter((call) => call.method === 'GET' && own(call))) {
      for (const origin of [EVIL, 'null', 'http://app1.localhost']) t.match(await upgrade(t, closed.port, call, { origin, ...BEARER, cookie: `token=${TOKEN}` }), /^HTTP\/1\.1 403 /, `${call.name} ${origin}`)
    }
  })
})

t.test('S6: a container reaches no API on loopback, and without a token none that listens to it', { skip: process.platform === 'linux' ? false : 'the gateway of the bridge is this machine on Linux only' }, async (t) => {
  const listening = await createTestApp(t, { DOCKAPI_HOST: '0.0.0.0', DOCKAPI_TOKEN: TOKEN })
  await listening.listen({ host: '0.0.0.0', port: 0 })
  const { port } = listening.server.address() as { port: number }
  const { NetworkSettings: { Networks } } = await engine.call('test.inspect', (docker, abortSignal) => docker.getContainer(id).inspect({ abortSignal }))
  const ask = async (port: number) => (await exec(['node', '--eval', `fetch('http://${Networks.bridge!.Gateway}:${port}/containers', { signal: AbortSignal.timeout(5000) }).then(({ status }) => console.log(status), () => console.log('no answer'))`])).stdout
  t.equal(await ask(port), '401\n')
  t.equal(await ask(open.port), 'no answer\n')
})

t.test('P5: without a token no spelling of any route is answered', async (t) => {
  await withoutEngine(t, async () => {
    const sent: Sent[] = []
    const paths = [...new Map(calls.map((call) => [call.path, call])).values()]
    for (const call of paths) {
      const path = call.path.replace(':id', id)
      const spellings = [
        path, `${path}/`, `/${path}`, `/.${path}`, `${path};x`, `${path}%2f`, `${path}%00`, path.toUpperCase(), `/proxy/..${path}`, `/x/%2e%2e${path}`, `/livez/..${path}`, `/docs/..%2f..${path}`,
        path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`), `http://localhost${path}`
      ]
      for (const spelling of spellings) for (const method of ['GET', 'HEAD', 'OPTIONS', call.method]) sent.push(await send(closed.app, { ...call, path: spelling, method: method as 'GET' }, `${method} ${spelling}`, {}))
    }
    t.same(sent.filter(({ status }) => ![400, 401, 404].includes(status)).map(told), [])
    t.ok(sent.length > 1_000)
  })
})

t.test('W11: without a token, with a wrong or an expired one, every upgrade is 401 before any switch', async (t) => {
  const expired = closed.app.tokens.create({ name: 'expired', scopes: ['admin'], expires_in: '1s' }).token
  await delay(1_100)
  const credentials: Array<Record<string, string>> = [{}, { authorization: 'Bearer wrong' }, { authorization: `Bearer ${expired}` }, { cookie: `token=${TOKEN}` }, { 'sec-websocket-protocol': `dockapi.ticket.${'x'.repeat(43)}` }]
  await withoutEngine(t, async () => {
    for (const call of calls.filter(({ method }) => method === 'GET')) {
      for (const headers of credentials) {
        // After a hundred wrong ones an address waits.
        t.match(await upgrade(t, closed.port, call, headers), /^HTTP\/1\.1 (401|429) /, `${call.name} ${JSON.stringify(headers)}`)
      }
    }
  })
})

t.test('G5: a body that is odd is refused on every route, with the field', async (t) => {
  const sent: Array<Sent & { field: string | undefined }> = []
  await withoutEngine(t, async () => {
    for (const call of writes.filter(({ payload }) => payload !== undefined)) {
      const text = JSON.stringify(call.payload)
      const [first] = Object.keys(call.payload!)
      const rest = JSON.stringify({ ...call.payload, [first!]: undefined }).slice(1)
      const withFirst = (value: string) => `{${JSON.stringify(first)}:${value}${rest === '}' ? '' : ','}${rest}`
      const odd: Array<[how: string, body: string, field?: string | undefined]> = [
        ['unknown field', `{"nonsense_field":1,${text.slice(1)}`, 'nonsense_field'], ['wrong type', withFirst('[[null]]'), first], ['null', withFirst('null'), first], ['1e400', withFirst('1e400'), first],
        ['twice', `{${JSON.stringify(first)}:null,${text.slice(1)}`, first], ['deep', withFirst(`${'['.repeat(10_000)}${']'.repeat(10_000)}`), first], ['__proto__', `{"__proto__":{"x":1},${text.slice(1)}`],
        ['nested __proto__', withFirst('{"__proto__":{"x":1}}')], ['constructor', `{"constructor":{"prototype":{"x":1}},${text.slice(1)}`], ['a list', `[${text}]`], ['a string', '"x"'], ['half', text.slice(0, -1)], ['nothing', '']
      ]
      for (const [how, body, field] of odd) sent.push({ ...await send(open.app, call, how, { 'content-type': 'application/json' }, body), field })
      for (const type of ['application/json\t', 'application/JSON ;x', ' application/json', 'application/json garbage', 'application/json;charset=utf-7', 'application/json, text/plain', 'application/json;x=application/x-tar']) {
        sent.push({ ...await send(open.app, call, JSON.stringify(type), { 'content-type': type }, `{"nonsense_field":1,${text.slice(1)}`), field: undefined })
      }
    }
  })
  t.same(sent.filter(({ status, field, body }) => (status !== 400 && status !== 415) || (field !== undefined && !body.includes(field))).map(told), [])
})

t.test('P8: what looks like a page in a path comes back as no page', async (t) => {
  for (const path of ['/proxy/<script>alert(1)</script>', '/proxy/<script>alert(1)</script>/', '/containers/<img src=x onerror=alert(1)>', '/<script>alert(1)</script>']) {
    const { statusCode, headers } = await open.app.inject({ url: encodeURI(path).replaceAll('%3C', '<').replaceAll('%3E', '>'), headers: { accept: 'text/html' } })
    t.ok(statusCode >= 400 && statusCode < 500, path)
    t.match(headers, { 'content-type': /^application\/problem\+json/, 'x-content-type-options': 'nosniff' }, path)
  }
  const { statusCode, headers } = await open.app.inject({ url: '/containers', headers: { host: '<script>alert(1)</script>', accept: 'text/html' } })
  t.equal(statusCode, 403)
  t.match(headers, { 'content-type': /^application\/problem\+json/, 'x-content-type-options': 'nosniff' })
})

t.test('S30: no refusal tells of the inside, and each keeps browsers from guessing', async (t) => {
  const sent: Sent[] = []
  for (const call of calls.filter(own)) sent.push(await send(closed.app, call, 'no token', {}), await send(open.app, { ...call, path: `${call.path}/%zz` }, 'wrong path', {}))
  for (const call of writes.filter(own)) sent.push(await send(open.app, call, 'wrong', { 'content-type': 'application/json' }, '{'))
  const failed = sent.filter(({ status }) => status >= 400)
  t.ok(failed.length > calls.length)
  t.same(failed.filter(({ body }) => /\bat .*\(|node_modules|\.ts:\d|docker\.sock|chaos-/.test(body)).map(told), [])
  t.same(failed.filter(({ headers }) => headers['x-content-type-options'] !== 'nosniff').map(told), [])
})

t.end()
