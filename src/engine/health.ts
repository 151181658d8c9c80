import { text } from 'node:stream/consumers'
import type { Health } from '../../schemas/health.ts'
import { DockApiError } from '../errors.ts'
import type { Connection } from './connection.ts'
import { createDeadline } from './deadline.ts'
import type { Engine } from './engine.ts'

/** No caller waits longer for the state of the engine, in milliseconds. */
const HEALTH_TIMEOUT_MS = 2000
/** How long asking a newly found engine about itself may go on behind the answers, in milliseconds. */
const SURVEY_TIMEOUT_MS = 10_000

/** No container and no exec has this name: they begin with a letter or digit. To wait for it is a POST that changes nothing. */
const NOTHING = '-'

type Survey = { name: string | undefined }

/**
 * Returns a function that tells whether the engine answers now. It never throws and takes two seconds at most; callers at
 * the same time share one probe. What a socket proxy refuses is asked once for each time that the engine is found.
 */
export function createHealthCheck (engine: Pick<Engine, 'endpoint' | 'probe'>): () => Promise<Health> {
  const surveys = new WeakMap<Connection, Promise<Survey>>()
  let running: Promise<Health> | undefined

  function surveyOf (connection: Connection): Promise<Survey> {
    const survey = surveys.get(connection) ?? surveyEngine(connection)
    surveys.set(connection, survey)
    return survey
  }

  async function check (): Promise<Health> {
    const deadline = createDeadline(HEALTH_TIMEOUT_MS)
    try {
      const connection = await engine.probe('ping', greet, { timeoutMs: HEALTH_TIMEOUT_MS })
      const { name } = await deadline.race(surveyOf(connection)).catch((): Survey => ({ name: undefined }))
      return { ok: true, engine: describe(connection, name) }
    } catch (error) {
      return { ok: false, engine: explain(error, engine) }
    } finally {
      deadline.lift()
    }
  }

  return () => {
    running ??= check().finally(() => { running = undefined })
    return running
  }
}

async function greet (connection: Connection, signal: AbortSignal): Promise<Connection> {
  await connection.ping(signal)
  return connection
}

/** Asks each section for as little as it can give. Refusals are noted on the way (`Sections`); what else goes wrong says nothing. */
async function surveyEngine ({ probes }: Connection): Promise<Survey> {
  const deadline = createDeadline(SURVEY_TIMEOUT_MS)
  const signal = { abortSignal: deadline.signal }
  const nothing = JSON.stringify({ label: ['dockapi.none'] })
  const now = Math.floor(Date.now() / 1000)
  const attempt = <T>(question: () => Promise<T>) => deadline.race(question()).catch(() => undefined)
  try {
    const info = await attempt(() => probes.info(signal))
    await attempt(() => probes.listContainers({ limit: 1, ...signal }))
    await attempt(() => probes.listImages({ filters: nothing, ...signal }))
    await attempt(() => probes.listNetworks({ filters: nothing, ...signal }))
    await attempt(() => probes.listVolumes({ filters: nothing, ...signal }))
    await attempt(async () => text(await probes.getEvents({ since: now, until: now, ...signal })))
    await attempt(() => probes.getExec(NOTHING).inspect(signal))
    await attempt(() => probes.getContainer(NOTHING).wait(signal))
    return { name: info?.Name }
  } finally {
    deadline.lift()
  }
}

function describe ({ endpoint, version, api, sections }: Connection, name: string | undefined): Health['engine'] {
  const disabled = sections.disabled()
  return {
    endpoint: endpoint.description,
    ...(version === undefined ? {} : { version }),
    api,
    ...(name === undefined ? {} : { name }),
    disabled,
    ...(disabled.length === 0 ? {} : { hint: hintOf(disabled) })
  }
}

function hintOf (disabled: readonly string[]): string {
  return `A socket proxy before the engine keeps this off. To have one of them, set it there and start the proxy anew: ${disabled.map((name) => `${name}=1`).join(' ')}.`
}

function explain (error: unknown, engine: Pick<Engine, 'endpoint'>): Health['engine'] {
  const { message, hint } = error instanceof DockApiError ? error : new DockApiError('internal_error', String(error))
  return { endpoint: describeEndpoint(engine), disabled: [], error: message, ...(hint === undefined ? {} : { hint }) }
}

function describeEndpoint (engine: Pick<Engine, 'endpoint'>): string {
  try {
    return engine.endpoint.description
  } catch {
    return 'unknown'
  }
}
