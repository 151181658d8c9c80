import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { createTar } from '../../../scripts/images.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { TEST_LABEL, TEST_LABELS, TEST_RUN, busyboxImage, nodeImage, startTestContainer } from '../../../test/support/engine.ts'
import { waitForAnswer } from '../../../test/support/http.ts'
import type { Made, Scene } from './attack.ts'

/** The ports of 127.0.0.1 at which the two applications are reached. */
export type Published = { application: number, closed: number }

const RAW_UPSTREAM = new URL('../../../test/support/raw-upstream.ts', import.meta.url).pathname
const [PORT, CONTROL] = [80, 8081]

/** Two containers with an application each, one of which does not listen, a trap, and everything else to attack with. */
export async function setScene (engine: Engine, test: Test): Promise<{ scene: Scene, published: Published }> {
  const images = { busybox: await busyboxImage(engine), node: await nodeImage(engine) }
  const [application, closed] = [`plain-application-${process.pid}`, `plain-closed-${process.pid}`]
  const started = await startApplication(engine, images.node, application)
  const silent = await startTestContainer(engine, { image: images.busybox, name: closed, command: ['sleep', '3600'], labels: { 'dockapi.enable': 'true' }, port: PORT })
  const told = (path: string, init: RequestInit = {}) => waitForAnswer(`http://127.0.0.1:${started.control}${path}`, init)
  const made = async () => (await listMade(engine)).filter(({ id }) => id !== started.id && id !== silent.id)
  const scene: Scene = {
    test,
    image: images.busybox,
    nodeImage: images.node,
    labels: TEST_LABELS,
    application,
    closed,
    async say (steps) {
      await told('/answer', { method: 'PUT', body: JSON.stringify(steps) })
      await told('/log', { method: 'DELETE' })
    },
    async heard () {
      const { requests } = await (await told('/log')).json() as { requests: Array<{ head: string }> }
      return requests.map(({ head }) => head)
    },
    trap: await setTrap(test),
    place: async () => (await startTestContainer(engine, { image: images.busybox, command: ['sleep', '600'], labels: { 'dockapi.managed': 'true' } })).id,
    placeWith: async (HostConfig) => await engine.call('bench.create', async (docker, abortSignal) => (await docker.createContainer({ Image: images.busybox, Labels: { ...TEST_LABELS }, HostConfig, abortSignal })).id),
    made,
    async clear () {
      for (const { id } of await made()) await engine.call('bench.remove', (docker, abortSignal) => docker.getContainer(id).remove({ force: true, v: true, abortSignal }), { timeoutMs: 60_000 })
    }
  }
  return { scene, published: { application: started.port, closed: silent.hostPort } }
}

/** Everything on the engine that carries this run's label, with the rights that it has. */
export async function listMade (engine: Engine): Promise<Made[]> {
  return await engine.call('bench.list', async (docker, abortSignal) => {
    const listed = await docker.listContainers({ all: true, filters: JSON.stringify({ label: [`${TEST_LABEL}=${TEST_RUN}`] }), abortSignal })
    return await Promise.all(listed.map(async ({ Id }) => {
      const { HostConfig: host, Mounts: mounts } = await docker.getContainer(Id).inspect({ abortSignal })
      const modes = [host.NetworkMode, host.PidMode, host.IpcMode, host.UTSMode].filter((mode) => mode === 'host' || mode?.startsWith('container:') === true)
      return { id: Id, privileged: host.Privileged === true, capabilities: (host.CapAdd ?? []) as string[], modes: modes as string[], mounts: mounts.filter(({ Type }) => Type === 'bind').map(({ Source }) => Source) }
    }))
  }, { timeoutMs: 60_000 })
}

/** An application that says the bytes that it is told over a second port. */
async function startApplication (engine: Engine, image: string, name: string): Promise<{ id: string, port: number, control: number }> {
  return await engine.call('bench.application', async (docker, abortSignal) => {
    const ports = [PORT, CONTROL].map((port) => `${port}/tcp`)
    const container = await docker.createContainer({
      Image: image,
      name,
      Cmd: ['node', '/app/raw-upstream.ts', String(PORT), String(CONTROL)],
      Labels: { ...TEST_LABELS, 'dockapi.enable': 'true', 'dockapi.container_port': String(PORT) },
      ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])),
      HostConfig: { Init: true, PortBindings: Object.fromEntries(ports.map((port) => [port, [{ HostIp: '127.0.0.1', HostPort: '' }]])) },
      abortSignal
    })
    await container.putArchive(await createTar([{ path: 'app/raw-upstream.ts', source: RAW_UPSTREAM }]), { path: '/', abortSignal })
    await container.start({ abortSignal })
    const { Id: id, NetworkSettings } = await container.inspect({ abortSignal })
    const [port, control] = ports.map((exposed) => Number(NetworkSettings.Ports[exposed]?.[0]?.HostPort)) as [number, number]
    return { id, port, control }
  }, { timeoutMs: 60_000 })
}

/** A port at which nobody may call. */
async function setTrap (test: Test): Promise<Scene['trap']> {
  let hits = 0
  const server = createServer((_request, response) => {
    hits++
    response.end('caught')
  }).listen(0, '127.0.0.1')
  test.after(() => { server.close().closeAllConnections() })
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, hits: () => hits }
}
