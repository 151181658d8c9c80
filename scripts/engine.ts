import { setTimeout as delay } from 'node:timers/promises'
import { loadConfig } from '../src/config/load.ts'
import type { EngineEnvironment } from '../src/config/schema.ts'
import { createEngine } from '../src/engine/engine.ts'
import type { Engine } from '../src/engine/engine.ts'
import { findProgram, installPackages, mayInstallPackages, startsServices } from './apt.ts'
import { Failure } from './failure.ts'
import { isOwnEngineUp, joinOwnEngine, mayRunEngine, OWN_ENGINE_HOST } from './own-engine.ts'
import type { Say } from './progress.ts'

export type FoundEngine = {
  engine: Engine
  version: string
  /** Version and address, for people. */
  description: string
  /** The variables that lead a child process to this engine. */
  environment: Record<string, string>
  /** Frees the connection. The project's own engine stops with its last user; then the answer is true. */
  close (): Promise<boolean>
}

/** The programs of an engine, and the Debian packages that hold them. */
const PROGRAMS = { dockerd: 'docker.io', iptables: 'iptables', ip: 'iproute2' }
const PING_TIMEOUT_MS = 5_000
const SERVICE_TIMEOUT_MS = 30_000
const POLL_MS = 250

const ADVICE = `Start a Docker engine, then run the same command again.

Linux    sudo apt-get install docker.io      (Fedora: sudo dnf install moby-engine)
         sudo systemctl enable --now docker
         sudo usermod -aG docker $USER       (then log in again)
macOS    Install Docker Desktop from https://www.docker.com/products/docker-desktop/ and open it,
         or: brew install colima docker && colima start
Windows  winget install Docker.DockerDesktop, then open Docker Desktop and wait until it says that it runs.

An engine on another machine will do too: set DOCKER_HOST, for example ssh://user@host.
As root on Debian or Ubuntu this command installs docker.io and starts an engine of its own.`

const ADVICE_PERMISSION = `Your user may not open the engine's socket. Join its group, then log in again:
  sudo usermod -aG docker $USER`

const ADVICE_NAMED = 'DOCKER_HOST or DOCKER_CONTEXT names this engine. Start it, correct the variable, or unset it and an engine is looked for.'

const ADVICE_PRIVILEGES = `This is root in a container without the privileges that a Docker engine needs. Mount the socket of the host's engine
(docker run -v /var/run/docker.sock:/var/run/docker.sock ...), point DOCKER_HOST at an engine, or run the container with --privileged.`

/**
 * Finds the engine that the product would find. When there is none and this machine allows it (root on Linux), starts the
 * project's own, installing it first through apt where it is missing; a Docker that the user has is left as it is.
 * @throws Failure that says what to do where no engine can be had.
 */
export async function findOrStartEngine (say: Say, signal: AbortSignal): Promise<FoundEngine> {
  const environment = readEnvironment()
  const found = await tryConnect(environment)
  if ('engine' in found) return found
  if (found.isForbidden) throw new Failure(found.problem, ADVICE_PERMISSION)
  if (environment.DOCKER_HOST !== undefined || environment.DOCKER_CONTEXT !== undefined) throw new Failure(found.problem, ADVICE_NAMED)
  if (await isOwnEngineUp()) return await connectOwn(signal)
  if (!await mayRunEngine()) throw new Failure(found.problem, process.getuid?.() === 0 ? ADVICE_PRIVILEGES : ADVICE)

  const packages = await listMissingPackages()
  if (packages.length > 0) {
    if (!await mayInstallPackages()) throw new Failure(found.problem, ADVICE)
    say('no Docker engine runs on this machine')
    await installPackages(packages, say)
    const service = await startsServices() ? await waitForService(environment, signal) : undefined
    if (service !== undefined) return service
  }
  say('starting an engine for this command')
  return await connectOwn(signal)
}

/** The variables of the docker CLI; the server's own settings have no say in where the engine is. */
function readEnvironment (): Readonly<EngineEnvironment> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DOCKAPI_')))
  return loadConfig({ env }).engine
}

async function listMissingPackages (): Promise<string[]> {
  const packages = await Promise.all(Object.entries(PROGRAMS).map(async ([program, name]) => await findProgram(program) === undefined ? [name] : []))
  return packages.flat()
}

async function connectOwn (signal: AbortSignal): Promise<FoundEngine> {
  const { folder, leave } = await joinOwnEngine(signal)
  const found = await tryConnect({ DOCKER_HOST: OWN_ENGINE_HOST })
  if (!('engine' in found)) {
    await leave()
    throw new Failure(found.problem)
  }
  const close = async () => {
    await found.close()
    return await leave()
  }
  return { ...found, description: `Docker ${found.version}, the project's own, in ${folder}`, close }
}

async function tryConnect (environment: EngineEnvironment): Promise<FoundEngine | { problem: string, isForbidden: boolean }> {
  try {
    const engine = createEngine(environment)
    try {
      const { Version } = await engine.call('version', (docker) => docker.version(), { timeoutMs: PING_TIMEOUT_MS })
      return {
        engine,
        version: Version,
        description: `Docker ${Version} at ${engine.endpoint.description}`,
        environment: environment.DOCKER_HOST === undefined ? {} : { DOCKER_HOST: environment.DOCKER_HOST },
        async close () {
          await engine.close()
          return false
        }
      }
    } catch (error) {
      await engine.close()
      throw error
    }
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string } }
    return { problem: `No Docker engine answers. ${message}`, isForbidden: cause?.code === 'EACCES' }
  }
}

/** Where an init system runs, the package's service brings up the machine's own engine. */
async function waitForService (environment: EngineEnvironment, signal: AbortSignal): Promise<FoundEngine | undefined> {
  const deadline = AbortSignal.timeout(SERVICE_TIMEOUT_MS)
  while (!deadline.aborted) {
    signal.throwIfAborted()
    const found = await tryConnect(environment)
    if ('engine' in found) return found
    await delay(POLL_MS)
  }
  return undefined
}
