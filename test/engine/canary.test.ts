import { createHash, randomBytes } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { busyboxImage, createTestEngine, nodeImage, startTestContainer, TEST_LABELS } from '../support/engine.ts'
import { APPLICATION } from '../support/gateway-application.ts'
import { startServerProcess } from '../support/process.ts'
import { connect } from '../support/raw-client.ts'
import { openSocket } from '../support/socket-client.ts'
import { until } from '../support/until.ts'

/** A secret that is nowhere else in the world. Hex, so that no encoding on its way changes it. */
const canary = () => randomBytes(12).toString('hex')
const secrets = {
  DOCKAPI_TOKEN: canary(),
  'the password of Redis': canary(),
  'a value of env': canary(),
  'a value of env of a command': canary(),
  'a password of a registry': canary(),
  'a wrong token': canary(),
  'a password of basic_auth': canary(),
  'a wrong password of basic_auth': canary(),
  'a cookie': canary(),
  'a token in a URL': canary()
}
const NAME = `canary${process.pid}`

const engine = createTestEngine(t)
const dataDir = t.testdir({})
const server = await startServerProcess(t, {
  DOCKAPI_TOKEN: secrets.DOCKAPI_TOKEN,
  DOCKAPI_RATE_LIMIT_REDIS: `redis://:${secrets['the password of Redis']}@127.0.0.1:1`,
  DOCKAPI_DATA_DIR: dataDir,
  DOCKAPI_LOG_LEVEL: 'trace'
})
const { url, gatewayPort } = server
const application = await startTestContainer(engine, {
  image: await nodeImage(engine),
  command: ['node', '--input-type=module', '--eval', APPLICATION],
  name: NAME,
  port: 8080,
  env: { SECRET: secrets['a value of env'] },
  labels: { 'dockapi.enable': 'true', 'traefik.http.middlewares.login.basicauth.users': `bert:${sha(secrets['a password of basic_auth'])}`, 'traefik.http.middlewares.login.basicauth.removeheader': 'true', 'dockapi.middlewares': 'login' }
})
/** What was answered, by what was asked. */
const answers = new Map<string, string>()
/** What the application saw of requests that carried dockAPI's own credentials. */
const seen: string[] = []
const COOKIE = `session=${secrets['a cookie']}`
const owner = { authorization: `Bearer ${secrets.DOCKAPI_TOKEN}` }

function sha (password: string): string {
  return `{SHA}${createHash('sha1').update(password).digest('base64')}`
}

async function ask (method: string, path: string, { body, headers = {} }: { body?: unknown, headers?: Record<string, string> } = {}) {
  const response = await fetch(url + path, {
    method,
    headers: { ...owner, cookie: COOKIE, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) })
  })
  const text = await response.text()
  answers.set(`${answers.size} ${method} ${path} ${response.status}`, `${JSON.stringify([...response.headers])}\n${text}`)
  return { status: response.status, text, json: () => JSON.parse(text) as Record<string, unknown> }
}

/** Sends the very bytes and keeps what comes back until the server ends the connection. */
async function send (port: number, bytes: string): Promise<string> {
  const client = await connect(t, port)
  await client.send(bytes)
  await client.closed()
  answers.set(`${port} ${bytes.slice(0, 40)}`, client.text)
  return client.text
}

function findSecrets (text: string): string[] {
  return Object.entries({ ...secrets, ...issued }).filter(([, secret]) => text.includes(secret) || text.includes(Buffer.from(secret).toString('base64').slice(0, 12))).map(([name]) => name)
}

const issued: Record<string, string> = {}

t.test('secrets go through every door', async (t) => {
  await until(async () => (await fetch(`http://127.0.0.1:${application.hostPort}/`).then(() => true, () => false)))
  const events = fetch(`${url}/events`, { headers: { ...owner, accept: 'application/x-ndjson' } })

  const created = await fetch(`${url}/tokens`, { method: 'POST', headers: { ...owner, 'content-type': 'application/json' }, body: JSON.stringify({ name: 'reader', scopes: ['read', 'exec'] }) })
  issued['a token of the store'] = ((await created.json()) as { token: string }).token
  const ticketOf = async () => ((await (await fetch(`${url}/tickets`, { method: 'POST', headers: owner })).json()) as { ticket: string }).ticket
  const bearer = { authorization: `Bearer ${issued['a token of the store']}` }

  const image = await busyboxImage(engine)
  const env = { SECRET: secrets['a value of env'] }
  const run = await ask('POST', '/containers/run', { body: { image, command: ['sleep', '300'], name: `${NAME}-run`, env, labels: TEST_LABELS, container_port: 80, init: true, stop_timeout: 1 } })
  t.equal(run.status, 201)
  for (const path of ['', '?raw=true', '/logs', '/stats?stream=false', '/top', '/changes', '/execs', '/replicas', '/files?path=/etc/hostname']) await ask('GET', `/containers/${NAME}-run${path}`)
  for (const path of ['/containers', '/tokens', '/tokens/reader', '/images', '/routes', '/middlewares', '/healthz', '/readyz', '/openapi.json', '/api/containers', '/api/images', `/proxy-info/${NAME}`, `/routes/explain?url=http://${NAME}.localhost/`, `/containers/${NAME}?raw=true`, '/stats?stream=false', '/nowhere']) await ask('GET', path)
  await ask('PUT', `/containers/${NAME}-run/replicas`, { body: { replicas: 2 } })
  for (const verb of ['pause', 'unpause', 'stop', 'start']) await ask('POST', `/containers/${NAME}-run/${verb}`)

  const execEnv = { SECRET: secrets['a value of env of a command'] }
  t.equal((await ask('POST', `/containers/${NAME}-run/exec`, { body: { command: ['true'], env: execEnv } })).status, 200)
  await ask('POST', `/containers/${NAME}-run/exec`, { body: { command: ['no-such-program'], env: execEnv } })
  const ticket = issued['a ticket'] = await ticketOf()
  const socket = await openSocket(t, `${url}/containers/${NAME}-run/exec?command=true&env=SECRET%3D${execEnv.SECRET}&ticket=${ticket}`)
  answers.set('a WebSocket', JSON.stringify(await socket.rest()))
  issued['a ticket as a subprotocol'] = await ticketOf()
  const second = await openSocket(t, `${url}/containers/${NAME}-run/exec?command=true`, { protocols: ['dockapi.v1', issued['a ticket as a subprotocol']] }).catch((error: Error) => error.message)
  if (typeof second !== 'string') answers.set('another WebSocket', JSON.stringify(await second.rest()))
  await ask('GET', `/containers/${NAME}-run/execs`)

  const auth = { username: 'bert', password: secrets['a password of a registry'] }
  for (const body of [{ image: '127.0.0.1:1/private:1', auth }, { image: 'Not an image', auth }, { image: 'x', auth: auth.password }, { image: 'x', auth: { ...auth, nothing: true } }]) {
    await ask('POST', '/images/pull', { body })
    await ask('POST', '/images/pull', { body, headers: { accept: 'application/x-ndjson' } })
  }
  for (const body of [`{"image":"x","auth":{"password":"${auth.password}"`, `{"auth":"${auth.password}"x}`, `"${auth.password}`, `{"image":"x","env":{"SECRET":{"x":"${env.SECRET}"}}}`, `{"image":"x","env":"${env.SECRET}"}`, `{"image":"x","env":["SECRET=${env.SECRET}"]}`, `{"image":"x","__proto__":{"x":"${env.SECRET}"}}`]) {
    t.equal((await ask('POST', '/containers/run', { body })).status, 400, 'a body that is wrong')
    await ask('POST', '/images/pull', { body })
  }
  await ask('POST', '/containers/run', { body: `SECRET=${env.SECRET}`, headers: { 'content-type': 'text/plain' } })

  await ask('GET', '/containers', { headers: { authorization: `Bearer ${secrets['a wrong token']}` } })
  await ask('GET', '/containers', { headers: { authorization: secrets['a wrong token'] } })
  for (const query of [`token=${secrets['a token in a URL']}`, `access_token=${secrets['a token in a URL']}`, `%74oken=${secrets['a token in a URL']}`]) t.equal((await ask('GET', `/containers?${query}`)).status, 400)
  for (const port of [Number(new URL(url).port), gatewayPort]) {
    await send(port, `GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${secrets['a wrong token']}\u0001\r\n\r\n`)
    await send(port, `GET /containers?token=${secrets['a token in a URL']} HTTP/9.9\r\nHost: localhost\r\n\r\n`)
    await send(port, `GET /%zz?token=${secrets['a token in a URL']} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    await send(port, `POST /containers/run HTTP/1.1\r\nHost: localhost\r\nCookie: ${COOKIE}\r\nAuthorization: Bearer ${secrets.DOCKAPI_TOKEN}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`)
  }

  const proxied = ticket.length > 0 ? await ticketOf() : ''
  issued['a ticket for an application'] = proxied
  for (const [path, headers] of [['a', bearer], ['b', owner], [`c?x=1&ticket=${proxied}`, {}]] as const) {
    const answer = await fetch(`${url}/proxy/${NAME}/${path}`, { headers })
    t.equal(answer.status, 200)
    seen.push(await answer.text())
  }
  const visit = async (authorization: string) => await exchangeWith(gatewayPort, `${NAME}.localhost`, authorization)
  await until(async () => (await visit(`Basic ${Buffer.from(`bert:${secrets['a password of basic_auth']}`).toString('base64')}`)).startsWith('HTTP/1.1 200'))
  seen.push(await visit(`Basic ${Buffer.from(`bert:${secrets['a password of basic_auth']}`).toString('base64')}`))
  answers.set('a wrong password', await visit(`Basic ${Buffer.from(`bert:${secrets['a wrong password of basic_auth']}`).toString('base64')}`))
  answers.set('a token at the gateway', await visit(`Bearer ${secrets.DOCKAPI_TOKEN}`))
  await ask('PUT', '/middlewares/login', { body: { basic_auth: { users: [`bert:${sha(secrets['a wrong password of basic_auth'])}`] } } })
  await ask('GET', '/middlewares')
  await ask('DELETE', '/middlewares/login')

  await ask('DELETE', `/containers/${NAME}-run-2?force=true`)
  await ask('DELETE', `/containers/${NAME}-run?force=true`)
  for (const path of [`/containers/${NAME}-run`, `/containers/${NAME}-run/logs`, '/tombstones']) await ask('GET', path)
  await ask('DELETE', '/tokens/reader')
  await ask('GET', '/tokens')
  const reader = (await events).body!.getReader()
  answers.set('events', Buffer.from((await reader.read()).value!).toString())
  await reader.cancel()
})

async function exchangeWith (port: number, host: string, authorization: string): Promise<string> {
  const client = await connect(t, port)
  await client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`)
  await client.closed()
  return client.text
}

t.test('S23: no answer tells one', async (t) => {
  t.ok(answers.size > 75, `${answers.size} answers`)
  for (const [asked, answer] of answers) t.same(findSecrets(answer), [], asked.replaceAll(/[0-9a-f]{24}/g, '…'))
})

t.test('no application gets one that is dockAPI\'s own', async (t) => {
  t.equal(seen.length, 4)
  for (const text of seen) t.same(findSecrets(text), [])
})

t.test('S23: the log has none, at its most talkative, and says what happened', async (t) => {
  await server.stop()
  const { output } = server
  t.match(output, /incoming request/)
  t.match(output, /Redis does not count/)
  for (const line of output.split('\n')) {
    const found = findSecrets(line)
    if (found.length > 0) t.fail(`${found.join(', ')}: ${Object.entries({ ...secrets, ...issued }).reduce((text, [name, secret]) => text.replaceAll(secret, `<${name}>`), line)}`)
  }
  t.same(findSecrets(output), [])
})

t.test('nor has the data folder', async (t) => {
  const files = (await readdir(dataDir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  t.ok(files.length > 0)
  for (const { parentPath, name } of files) t.same(findSecrets(await readFile(join(parentPath, name), 'latin1')), [], name)
})

t.end()
