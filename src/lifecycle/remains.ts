import { inspectContainer } from '../engine/containers.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import type { EngineEvent } from '../engine/events.ts'
import { openLogs } from '../engine/logs.ts'
import type { Remains } from '../store/tombstones.ts'
import type { Tombstone } from '../../schemas/tombstones.ts'
import { createKeptLog, createTimedSplitter, encodeEntries } from './kept-log.ts'
import type { KeptLog } from './kept-log.ts'

/** How much of a log is kept, in bytes. */
export const LOG_BYTES = 64 * 1024
/** Lines that are asked for to have that much. */
const LOG_LINES = 2000
/** The engine removes a container soon after its end: what takes longer would come too late. */
const ASK_TIMEOUT_MS = 2_000
/** Go's zero time: the engine's way of saying never. */
const NEVER = '0001-01-01T00:00:00Z'
/** What the engine's events carry beside the labels. */
const OWN_ATTRIBUTES = new Set(['name', 'image', 'exitCode', 'signal', 'execDuration', 'execID'])

/** What the engine still tells of a container. `isWhole` is false when its log broke off. */
export type Found = { document: ContainerDocument, log: KeptLog, isWhole: boolean }

/**
 * @param isTty Where it is known, the log is asked for at the same time as the rest.
 * @returns Nothing when it is gone already, or the engine is.
 */
export async function askRemains (engine: Engine, id: string, isTty: boolean | undefined, signal: AbortSignal): Promise<Found | undefined> {
  const log = createKeptLog(LOG_BYTES)
  const read = (isTty: boolean) => readEnd(engine, { id, isTty }, log, signal).then(() => true, () => false)
  const reading = isTty === undefined ? undefined : read(isTty)
  try {
    const document = await inspectContainer(engine, id, { timeoutMs: ASK_TIMEOUT_MS, signal })
    return { document, log, isWhole: await (reading ?? read(document.Config.Tty)) }
  } catch {
    return undefined
  }
}

async function readEnd (engine: Engine, container: { id: string, isTty: boolean }, log: KeptLog, signal: AbortSignal): Promise<void> {
  const query = { tail: LOG_LINES, isFollowing: false, hasStdout: true, hasStderr: true, hasTimestamps: true }
  const output = await openLogs(engine, container, query, { signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)]) })
  const splitter = createTimedSplitter(container.isTty)
  for await (const chunks of output) log.add(splitter.push(chunks))
  log.add(splitter.end())
}

/** One that could not be started leaves nothing that the answer to its start does not say. */
export function hasStarted ({ State: state }: ContainerDocument): boolean {
  return state.StartedAt !== NEVER
}

export function remainsOf ({ Id: id, Name, Created, Config: { Image: image, Labels, Tty: isTty }, State: state }: ContainerDocument, log: KeptLog): Remains {
  const hasEnded = !state.Running && state.StartedAt !== NEVER
  return assemble({
    id,
    name: Name.slice(1),
    image,
    labels: Labels ?? {},
    exit_code: hasEnded ? state.ExitCode : null,
    oom_killed: state.OOMKilled,
    error: state.Error === '' ? null : state.Error,
    created_at: timeOf(Created),
    started_at: timeOf(state.StartedAt),
    finished_at: hasEnded ? timeOf(state.FinishedAt) : null
  }, isTty, log)
}

/** From the event of its end, and what was known while it ran: for a container that was gone before it could be looked at. */
export function remainsOfEvent ({ id, attributes, timeNano }: EngineEvent, before: ContainerDocument | undefined, isOom: boolean, log: KeptLog): Remains {
  const { name = '', image = '', exitCode } = attributes
  return assemble({
    id,
    name,
    image: before?.Config.Image ?? image,
    labels: before?.Config.Labels ?? Object.fromEntries(Object.entries(attributes).filter(([key]) => !OWN_ATTRIBUTES.has(key))),
    exit_code: exitCode === undefined ? null : Number(exitCode),
    oom_killed: isOom,
    error: null,
    created_at: before === undefined ? null : timeOf(before.Created),
    started_at: before === undefined ? null : timeOf(before.State.StartedAt),
    finished_at: new Date(timeNano / 1e6).toISOString()
  }, before?.Config.Tty ?? false, log)
}

function assemble (known: Omit<Tombstone, 'removed_at' | 'log_bytes' | 'log_truncated'>, isTty: boolean, { entries, isTruncated }: KeptLog): Remains {
  const logBytes = entries.reduce((sum, { bytes }) => sum + bytes.length, 0)
  return { tombstone: { ...known, removed_at: null, log_bytes: logBytes, log_truncated: isTruncated }, isTty, log: encodeEntries(entries) }
}

function timeOf (text: string): string | null {
  return text === NEVER ? null : new Date(text).toISOString()
}
