import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { statusOf } from '../../plugins/errors.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createFilter } from '../../src/filter/filter.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createChaosSocket } from '../support/chaos-socket.ts'
import { busyboxImage, createTestEngine, startTestContainer } from '../support/engine.ts'
import { openFilter } from '../support/filter.ts'
import { exchange } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const NAME = `filter-${process.pid}`
const web = await startTestContainer(engine, { image, command: ['httpd', '-f', '-p', '80', '-h', '/etc'], name: NAME, port: 80, env: { PASSWORD: 'hunter2', VIRTUAL_HOST: `${NAME}.example.org` } })
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

t.test('another dockAPI behind the filter discovers, routes, follows what happens and says what is off', async (t) => {
  const { port } = await openFilter(t, 'CONTAINERS,NETWORKS')
  const { app, url } = await listenTestApp(t, { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKAPI_GATEWAY_PORT: '0', DOCKAPI_EXPOSE: 'all', DOCKAPI_SCOPE: 'all' })
  const api = createClient(url)
  const status = async (host: string) => (await exchange(t, app.gateway.port!, `GET /passwd HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status

  t.match((await api.get('/healthz')).body, { ok: true, engine: { version: /./, disabled: ['IMAGES', 'INFO'] } })
  t.match((await api.get(`/containers/${NAME}`)).body, { id: web.id, status: 'running' })
  await until(async () => await status(`${NAME}.example.org`) === 200)

  const late = await startTestContainer(engine, { image, command: ['httpd', '-f', '-p', '80'], name: `${NAME}-late`, port: 80 })
  await until(async () => (await api.get<Array<{ hosts: string[] }>>('/routes')).body.some((route) => JSON.stringify(route).includes(late.id)))
  await engine.call('test.remove', (docker, abortSignal) => docker.getContainer(late.id).remove({ force: true, abortSignal }))
  await until(async () => !(await api.get<Array<{ hosts: string[] }>>('/routes')).body.some((route) => JSON.stringify(route).includes(late.id)))

  t.match(await api.get('/images'), { status: 403, body: { code: 'feature_disabled', detail: /IMAGES is off/ } })
  t.match(await api.post(`/containers/${NAME}/stop`), { status: 403, body: { code: 'feature_disabled', detail: /ALLOW_STOP is off/ } })
  t.match(await api.run({ image, container_port: 80 }), { status: 403, body: { code: 'feature_disabled' } })
})

t.test('a verb that passes is an entry of the audit', async (t) => {
  const { app, url } = await listenTestApp(t, { DOCKAPI_FILTER: '127.0.0.1:0', DOCKAPI_FILTER_SECTIONS: 'ALLOW_START' })
  const api = createClient(url)
  const start = async (container: string) => (await fetch(`${app.filter.origin}/containers/${container}/start`, { method: 'POST' })).status
  t.equal(await start(NAME), 304)
  t.equal(await start(`no-${NAME}`), 404)
  t.match(await api.get('/audit?principal=filter'), {
    body: [
      { operation: 'startContainer', container: `no-${NAME}`, result: 'engine_refused', status: 404 },
      { operation: 'startContainer', container: NAME, result: 'ok', status: 304 }
    ]
  })
})

t.test('a stop of the server ends streams properly and lets answers finish', async (t) => {
  const chaos = await createChaosSocket(t)
  const { app } = await listenTestApp(t, { DOCKER_HOST: chaos.host, DOCKAPI_FILTER: '127.0.0.1:0' })
  const { origin } = app.filter
  const events = await fetch(`${origin}/events`)
  chaos.rule('GET /version', { kind: 'slice' })
  const answer = fetch(`${origin}/version`)
  await until(() => chaos.count('GET /version') > 1)
  const closing = app.close()
  t.equal(await events.text(), '', 'the end of the stream is no failure')
  t.match(await (await answer).json(), { ApiVersion: /./ })
  await closing
  await t.rejects(fetch(`${origin}/_ping`))
})

t.test('it listens only when it is told to, and says who can reach it', async (t) => {
  const filterAt = (address: string) => createFilter({ config: loadConfig({ env: { DOCKAPI_FILTER: address } }), engine, statusOf, onChange () {}, onRefusal () {} })
  const off = filterAt('')
  await off.listen()
  t.equal(off.origin, undefined)
  t.equal(filterAt('[::1]:0').warning, undefined)
  t.match(filterAt('0.0.0.0:0').warning, /no tokens/)
  const { origin } = await openFilter(t, '')
  await t.rejects(filterAt(new URL(origin).host).listen(), { code: 'EADDRINUSE' })
})

t.test('the program says where the filter is; a wrong switch or a taken port stops the start', async (t) => {
  const run = (env: Record<string, string>) => {
    const child = spawn(process.execPath, [MAIN], { env: { PATH: process.env.PATH, DOCKAPI_PORT: '0', DOCKAPI_GATEWAY_PORT: 'off', DOCKAPI_DATA_DIR: 'memory', DOCKAPI_LOG_LEVEL: 'silent', ...env } })
    t.after(() => child.kill())
    return child
  }
  const wrong = run({ DOCKAPI_FILTER: '127.0.0.1:0', DOCKAPI_FILTER_SECTIONS: 'containers,exec' })
  t.match(await text(wrong.stderr), /"exec", which the filter never opens: it runs commands in containers/)

  const running = run({ DOCKAPI_FILTER: '127.0.0.1:0', DOCKER_HOST: 'unix:///nowhere.sock' })
  let printed = ''
  for await (const line of createInterface(running.stdout)) {
    printed += `${line}\n`
    if (line.includes('Filter')) break
  }
  const [, address = ''] = /Filter {2}http:\/\/(127\.0\.0\.1:\d+)$/m.exec(printed) ?? []
  const refused = await fetch(`http://${address}/_ping`)
  t.match({ status: refused.status, body: await refused.json() }, { status: 503, body: { message: /nowhere\.sock does not exist/ } })

  const second = run({ DOCKAPI_FILTER: address })
  t.match(await text(second.stderr), `Port ${address.split(':')[1]} is taken on 127.0.0.1. Give DOCKAPI_FILTER another port`)
  running.kill('SIGTERM')
  t.same(await once(running, 'exit'), [0, null])
})

t.end()
