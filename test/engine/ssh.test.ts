import t from 'tap'
import { createChaosSocket, engineAt } from '../support/chaos-socket.ts'
import { createSshServer, hasSsh } from '../support/ssh-server.ts'
import { until } from '../support/until.ts'

const skip = hasSsh() ? false : 'needs sshd, ssh and the docker CLI (Debian: openssh-server, openssh-client, docker.io)'

await t.test('an engine on another machine is reached over ssh, and the connections end with the engine', { skip }, async (t) => {
  const chaos = await createChaosSocket(t)
  const server = await createSshServer(t, chaos.host, t.testdir({}))
  const engine = engineAt(t, { DOCKER_HOST: server.host, PATH: server.path })
  const list = () => engine.call('containers.list', (docker, abortSignal) => docker.listContainers({ abortSignal }), { timeoutMs: 60_000 })

  t.type(await list(), Array)
  const before = server.sessions.total
  for (let round = 0; round < 5; round++) await list()
  t.equal(server.sessions.total, before, 'a connection is used again')
  const answers = await Promise.all(Array.from({ length: 20 }, list))
  t.equal(answers.length, 20)
  t.ok(server.sessions.total <= 5, `${server.sessions.total} connections at most`)

  const stream = await engine.open('events', (docker, abortSignal) => docker.getEvents({ ...{ abortSignal } }), { timeoutMs: 60_000 })
  stream.on('error', () => {})
  await engine.close()
  await until(() => server.sessions.open === 0)
  t.pass('no ssh is left')
})

await t.test('large answers arrive whole', { skip }, async (t) => {
  const chaos = await createChaosSocket(t)
  const names = Array.from({ length: 50_000 }, (_, index) => `/container-${index}`)
  chaos.rule('/containers/json', { kind: 'answer', status: 200, body: JSON.stringify([{ Names: names }]) })
  const server = await createSshServer(t, chaos.host, t.testdir({}))
  const engine = engineAt(t, { DOCKER_HOST: server.host, PATH: server.path })
  const [container] = await engine.call('containers.list', (docker, abortSignal) => docker.listContainers({ abortSignal }), { timeoutMs: 60_000 })
  t.strictSame(container?.Names, names)
})

await t.test('a host whose key is not known is not spoken to', { skip }, async (t) => {
  const chaos = await createChaosSocket(t)
  const server = await createSshServer(t, chaos.host, t.testdir({}), { isKnown: false })
  const engine = engineAt(t, { DOCKER_HOST: server.host, PATH: server.path })
  await t.rejects(engine.call('x', (docker) => docker.info(), { timeoutMs: 60_000 }), { code: 'engine_unavailable', message: /Host key verification failed/, hint: /accept the host's key/ })
  t.equal(chaos.requests.length, 0)
})

await t.test('an engine that is away on the other machine is told', { skip }, async (t) => {
  const chaos = await createChaosSocket(t, { isStarted: false })
  const server = await createSshServer(t, chaos.host, t.testdir({}))
  const engine = engineAt(t, { DOCKER_HOST: server.host, PATH: server.path })
  await t.rejects(engine.call('x', (docker) => docker.info(), { timeoutMs: 60_000 }), { code: 'engine_unavailable', message: /ssh says ".*dial unix/, hint: /Start Docker on that host/ })
  await chaos.start()
  await t.resolves(engine.call('x', (docker) => docker.info(), { timeoutMs: 60_000 }))
})
