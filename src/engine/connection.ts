import type Docker from 'dockerode'
import type { EngineEnvironment } from '../config/schema.ts'
import { DockApiError } from '../errors.ts'
import { createDeadline } from './deadline.ts'
import { abortable, createDocker } from './docker.ts'
import type { AbortableDocker } from './docker.ts'
import { resolveEndpoint } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { translateEngineError } from './errors.ts'
import { createModem, EngineResponseError } from './modem.ts'
import type { Modem } from './modem.ts'
import { createSections } from './sections.ts'
import type { Sections } from './sections.ts'
import { createTransport } from './transport.ts'
import { isApiVersion, negotiateVersion } from './version.ts'

/** What is known of an engine from the moment it first answered until it is away: its address, its version, its sockets. */
export type Connection = {
  readonly endpoint: Endpoint
  /** API version that was negotiated, `1.41`. */
  readonly api: string
  /** Version of the engine's program; undefined when a socket proxy refuses to tell. */
  readonly version: string | undefined
  readonly sections: Sections
  /** Each over its own sockets (`Transport`). */
  readonly calls: Docker
  readonly streams: Docker
  readonly probes: AbortableDocker
  /** Asks for a sign of life, in the way that a socket proxy before the engine allows. */
  ping (signal: AbortSignal): Promise<void>
  /** Closes each socket as soon as it is idle. */
  retire (): void
}

/** How long the first answer may take, in milliseconds. ssh has to log in first. */
const CONNECT_TIMEOUT_MS = 5000
const SSH_CONNECT_TIMEOUT_MS = 20_000

/**
 * Finds the engine, dials it, and agrees on a version of its API.
 * @throws DockApiError `engine_unavailable`, `engine_timeout`, `feature_disabled`.
 */
export async function connect (environment: EngineEnvironment, signal: AbortSignal): Promise<Connection> {
  const endpoint = resolveEndpoint(environment)
  const transport = createTransport(endpoint, environment)
  const sections = createSections()
  const host = 'host' in endpoint ? endpoint.address : 'localhost'
  const deadline = createDeadline(endpoint.kind === 'ssh' ? SSH_CONNECT_TIMEOUT_MS : CONNECT_TIMEOUT_MS, signal)

  try {
    const about = await deadline.race(ask(createModem({ agent: transport.probes, host, sections }), deadline.signal))
    const api = negotiateVersion(about)
    const speak = (agent: typeof transport.calls) => createDocker(createModem({ agent, host, version: api, sections }))
    const probes = abortable(speak(transport.probes))
    return {
      endpoint,
      api,
      version: about.version,
      sections,
      calls: speak(transport.calls),
      streams: speak(transport.streams),
      probes,
      ping: (signal) => ping(probes, signal),
      retire: transport.retire
    }
  } catch (error) {
    transport.retire()
    throw translateEngineError(error, { operation: 'ping', isTimeout: deadline.isOver(), isAborted: false, endpoint })
  } finally {
    deadline.lift()
  }
}

type About = { newest: string, oldest: string | undefined, version: string | undefined }

/** Asks the engine what it is, without a version, as only these two operations may be asked. */
async function ask (modem: Modem, signal: AbortSignal): Promise<About> {
  const { ApiVersion = await modem.ping(signal), MinAPIVersion, Version } = await askVersion(modem, signal)
  if (!isApiVersion(ApiVersion)) {
    throw new DockApiError('engine_unavailable', 'What answers there is no Docker engine: it names no API version.', { hint: 'Check the address and the port.' })
  }
  return { newest: ApiVersion, oldest: isApiVersion(MinAPIVersion) ? MinAPIVersion : undefined, version: Version }
}

async function ping (probes: AbortableDocker, abortSignal: AbortSignal): Promise<void> {
  try {
    await probes.ping({ abortSignal })
  } catch (error) {
    if (!isRefusedByProxy(error)) throw error
    await probes.version({ abortSignal })
  }
}

/** @returns Nothing when a socket proxy keeps it secret. */
async function askVersion (modem: Modem, abortSignal: AbortSignal): Promise<Partial<Docker.DockerVersion>> {
  try {
    const answer: unknown = await abortable(createDocker(modem)).version({ abortSignal })
    return typeof answer === 'object' && answer !== null ? answer : {}
  } catch (error) {
    if (isRefusedByProxy(error)) return {}
    throw error
  }
}

function isRefusedByProxy (error: unknown): boolean {
  return error instanceof EngineResponseError && error.switches.length > 0
}
