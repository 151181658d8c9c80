import { randomBytes } from 'node:crypto'
import type Docker from 'dockerode'
import type { Test } from 'tap'
import { ensureBusyboxBase, ensureNodeBase } from '../../scripts/base-images.ts'
import { createTar } from '../../scripts/images.ts'
import type { Entry } from '../../scripts/images.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createEngine } from '../../src/engine/engine.ts'
import type { Engine } from '../../src/engine/engine.ts'

/** The label of everything that tests make on an engine. Its value names the run and the process, so that files run side by side. */
export const TEST_LABEL = 'dockapi-test'
export const TEST_RUN = `${process.env.DOCKAPI_TEST_RUN ?? randomBytes(4).toString('hex')}.${process.pid}`
export const TEST_LABELS: Readonly<Record<string, string>> = Object.freeze({ [TEST_LABEL]: TEST_RUN })

/** The engine that `npm test` found or started (DOCKER_HOST), else the one that the product would find. Close it. */
export function engineFromEnvironment (): Engine {
  return createEngine(loadConfig({ env: process.env }).engine)
}

/**
 * The engine for a test. When the test ends, everything that carries this process's label is removed and the engine closed.
 * Make containers with `labels: TEST_LABELS`, directly or through the API.
 */
export function createTestEngine (t: Test): Engine {
  const engine = engineFromEnvironment()
  t.after(async () => {
    await removeTestResources(engine, TEST_RUN)
    await engine.close()
  })
  return engine
}

/** Image with busybox: `sh`, `httpd`, `nc` and more. Made once per engine and kept. */
export async function busyboxImage (engine: Engine): Promise<string> {
  return await ensureBusyboxBase(engine)
}

/** Image with busybox and this very Node, which runs a TypeScript file: `['node', '/app/fixture.ts']`. Made once per engine and kept. */
export async function nodeImage (engine: Engine): Promise<string> {
  return await ensureNodeBase(engine)
}

export type TestContainerOptions = {
  image: string
  command?: string[]
  name?: string
  env?: Record<string, string>
  labels?: Record<string, string>
  /** TCP port of the container, published on a free port of 127.0.0.1. */
  port?: number
  /** Files put into the container before it starts, such as `{ path: 'app/fixture.ts', source: '/…/fixture.ts' }`. */
  files?: Entry[]
  /** Anything else that the engine knows, such as `{ NetworkMode: 'host' }`. */
  hostConfig?: Docker.HostConfig
}

export type TestContainer = {
  id: string
  /** The published port on 127.0.0.1; 0 when none was asked for. */
  hostPort: number
}

/** Starts a container straight on the engine, past the product. It is running, not ready, when this resolves. */
export async function startTestContainer (engine: Engine, options: TestContainerOptions): Promise<TestContainer> {
  const { image, command, name, env = {}, labels = {}, port, files = [], hostConfig } = options
  const exposed = port === undefined ? undefined : `${port}/tcp`
  return await engine.call('test.startContainer', async (docker, signal) => {
    const container = await docker.createContainer({
      Image: image,
      ...(name === undefined ? {} : { name }),
      ...(command === undefined ? {} : { Cmd: command }),
      Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
      Labels: { ...labels, ...TEST_LABELS },
      ...(exposed === undefined ? {} : { ExposedPorts: { [exposed]: {} } }),
      HostConfig: {
        Init: true,
        ...(exposed === undefined ? {} : { PortBindings: { [exposed]: [{ HostIp: '127.0.0.1', HostPort: '' }] } }),
        ...hostConfig
      },
      abortSignal: signal
    })
    if (files.length > 0) await container.putArchive(await createTar(files), { path: '/', abortSignal: signal })
    await container.start({ abortSignal: signal })
    if (exposed === undefined) return { id: container.id, hostPort: 0 }
    const { NetworkSettings } = await container.inspect({ abortSignal: signal })
    return { id: container.id, hostPort: Number(NetworkSettings.Ports[exposed]?.[0]?.HostPort) }
  }, { timeoutMs: 60_000 })
}

/**
 * Removes the containers, networks, volumes and images whose test label is `run` or begins with `run.`, and nothing else.
 * @param run The whole of `TEST_RUN`, or only the run's part of it: then what its processes left behind goes too.
 */
export async function removeTestResources (engine: Engine, run: string): Promise<void> {
  const filters = JSON.stringify({ label: [TEST_LABEL] })
  const isOurs = ({ Labels }: { Labels?: Record<string, string> | undefined }) => `${Labels?.[TEST_LABEL]}.`.startsWith(`${run}.`)
  await engine.call('test.removeResources', async (docker, signal) => {
    const options = { filters, abortSignal: signal }
    const containers = (await docker.listContainers({ ...options, all: true })).filter(isOurs)
    await removeAll(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true, abortSignal: signal })))
    const networks = (await docker.listNetworks(options)).filter(isOurs)
    await removeAll(networks.map(({ Id }) => docker.getNetwork(Id!).remove({ abortSignal: signal })))
    const volumes = ((await docker.listVolumes(options)).Volumes ?? []).filter(isOurs)
    await removeAll(volumes.map(({ Name }) => docker.getVolume(Name).remove({ force: true, abortSignal: signal })))
    // An image cannot go before the images that were built on it.
    const images = (await docker.listImages(options)).filter(isOurs).sort((one, other) => other.Created - one.Created)
    for (const { Id } of images) await removeAll([docker.getImage(Id).remove({ force: true, abortSignal: signal })])
  }, { timeoutMs: 150_000 })
}

/** What a test removed itself (404) or what is being removed (409) is as good as removed. */
async function removeAll (removals: Array<Promise<unknown>>): Promise<void> {
  await Promise.all(removals.map((removal) => removal.catch((error: { statusCode?: number }) => {
    if (error.statusCode !== 404 && error.statusCode !== 409) throw error
  })))
}
