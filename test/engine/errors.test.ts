import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type Docker from 'dockerode'
import type { Engine } from '../../src/engine/engine.ts'
import type { ContainerSpec } from '../../src/engine/containers.ts'
import { createContainer, inspectContainer, pauseContainer, removeContainer, startContainer } from '../../src/engine/containers.ts'
import { pullImage } from '../../src/engine/images.ts'
import type { Judged } from '../../src/policy/judged.ts'
import { busyboxImage, createTestEngine, startTestContainer, TEST_LABELS, TEST_RUN } from '../support/engine.ts'

/** The engine at hand says these in its own words; the codes must be right whatever its version. */
async function start (engine: Engine, changes: Partial<Docker.ContainerCreateOptions>, name?: string): Promise<void> {
  const spec = { Image: await busyboxImage(engine), Cmd: ['sleep', '300'], Labels: { ...TEST_LABELS }, ...changes }
  await startContainer(engine, await createContainer(engine, spec as unknown as Judged<ContainerSpec>, { name }))
}

function publish (port: number): Partial<Docker.ContainerCreateOptions> {
  return { ExposedPorts: { '80/tcp': {} }, HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] } } }
}

await t.test('each way in which a start fails has its code', async (t) => {
  const engine = createTestEngine(t)
  const { hostPort } = await startTestContainer(engine, { image: await busyboxImage(engine), command: ['sleep', '300'], port: 80 })
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const name = `dockapi-${TEST_RUN}`
  await start(engine, {}, name)

  await t.rejects(start(engine, {}, name), { code: 'name_conflict' })
  await t.rejects(start(engine, publish(hostPort)), { code: 'port_conflict' }, 'taken by a container')
  await t.rejects(start(engine, publish((server.address() as AddressInfo).port)), { code: 'port_conflict' }, 'taken by a program')
  await t.rejects(start(engine, { Cmd: ['nosuch'] }), { code: 'invalid_command' })
  await t.rejects(start(engine, { Cmd: ['/nosuch'] }), { code: 'invalid_command' })
  await t.rejects(start(engine, { Cmd: ['/bin'] }), { code: 'invalid_command' })
  await t.rejects(start(engine, { Image: 'dockapi-nosuch:none' }), { code: 'image_not_local' })
  await t.rejects(start(engine, { HostConfig: { NetworkMode: 'dockapi-nosuch' } }), { code: 'network_not_found' })
  await t.rejects(start(engine, { HostConfig: { Binds: ['/a:b'] } }), { code: 'invalid_volume' })
  await t.rejects(start(engine, { HostConfig: { Binds: ['a:/b:zz'] } }), { code: 'invalid_volume' })
  await t.rejects(start(engine, { HostConfig: { Memory: 1000 } }), { code: 'engine_refused' })
})

await t.test('the state of a container that stands in the way is named', async (t) => {
  const engine = createTestEngine(t)
  const { id } = await startTestContainer(engine, { image: await busyboxImage(engine), command: ['sleep', '300'] })
  await t.rejects(removeContainer(engine, id), { code: 'container_running' })
  await pauseContainer(engine, id)
  await t.rejects(removeContainer(engine, id), { code: 'container_paused' })
  await t.rejects(startContainer(engine, id), { code: 'container_paused' })
  await t.rejects(inspectContainer(engine, 'dockapi-nosuch'), { code: 'container_not_found' })
})

await t.test('a registry that is away is told from an image that is', async (t) => {
  const engine = createTestEngine(t)
  await t.rejects(pullImage(engine, '127.0.0.1:1/a:t'), { code: 'registry_unreachable' })
})
