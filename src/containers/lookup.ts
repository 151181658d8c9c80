import { DockApiError, isDockApiError } from '../errors.ts'
import type { Engine } from '../engine/engine.ts'
import { inspectContainer, listContainers } from '../engine/containers.ts'
import type { ContainerDocument, ContainerSummary } from '../engine/containers.ts'

/** Whether a container with these labels exists for who asks. */
export type Visibility = (labels: Readonly<Record<string, string>> | null | undefined) => boolean

const ID_PREFIX = /^[0-9a-f]{1,64}$/

/**
 * The one way from a reference to a container, for every route, socket and proxied request. What is not visible does
 * not exist: neither its id nor its name can be told from one that was never made.
 * @param reference Full id, exact name, or unique prefix of an id, in this order.
 * @throws DockApiError `container_not_found`, `ambiguous_id`.
 */
export async function findContainer (engine: Engine, isVisible: Visibility, reference: string, signal?: AbortSignal): Promise<ContainerDocument> {
  const document = await inspectIfThere(engine, reference, signal)
  if (document !== undefined && isVisible(document.Config.Labels)) return document
  // The engine's own prefix match counts containers that do not exist for the API: match among ours.
  if (!ID_PREFIX.test(reference)) throw containerNotFound(reference)
  const matches = (await listVisible(engine, isVisible, signal)).filter(({ Id }) => Id.startsWith(reference))
  if (matches.length > 1) throw ambiguous(reference, matches)
  const inspected = matches.length === 1 ? await inspectIfThere(engine, matches[0]!.Id, signal) : undefined
  if (inspected === undefined) throw containerNotFound(reference)
  return inspected
}

/** Every visible container, in one engine call. */
export async function listVisible (engine: Engine, isVisible: Visibility, signal?: AbortSignal, filters: { label?: string[], status?: string[] } = {}): Promise<ContainerSummary[]> {
  const all = await listContainers(engine, filters, { signal })
  return all.filter(({ Labels }) => isVisible(Labels))
}

/** Undefined when the engine knows none or several: a list settles which. */
async function inspectIfThere (engine: Engine, reference: string, signal?: AbortSignal): Promise<ContainerDocument | undefined> {
  try {
    return await inspectContainer(engine, reference, { signal })
  } catch (error) {
    if (isDockApiError(error, 'container_not_found') || isDockApiError(error, 'ambiguous_id') || isDockApiError(error, 'engine_refused')) return undefined
    throw error
  }
}

/** The same for what is not there and for what is somebody else's. */
export function containerNotFound (reference: string): DockApiError {
  return new DockApiError('container_not_found', `There is no container "${reference}".`)
}

function ambiguous (reference: string, matches: ContainerSummary[]) {
  const candidates = matches.slice(0, 10).map(({ Id, Names }) => ({ id: Id, name: nameOf(Names) }))
  const shown = candidates.map(({ id, name }) => `${id.slice(0, 12)} (${name})`).join(', ')
  return new DockApiError('ambiguous_id', `"${reference}" is the beginning of ${matches.length} ids: ${shown}.`, { details: { candidates } })
}

/** The container's own name, without the engine's slash; links of other containers (`/a/b`) are passed over. */
export function nameOf (names: readonly string[]): string {
  return (names.find((name) => name.lastIndexOf('/') === 0) ?? names[0] ?? '').slice(1)
}
