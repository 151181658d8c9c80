import type { ContainerDocument } from '../engine/containers.ts'
import { DockApiError, isDockApiError } from '../errors.ts'
import type { Containers } from './containers.ts'
import type { Launch, Launches } from './launches.ts'

/** What an id of `/api` stands for: a container, one that is being made or could not be made, or a container and how it was made. */
export type Located = { id: string, document?: ContainerDocument | undefined, launch?: Launch | undefined }

/**
 * @param reference An id that a launch gave out, or what `Containers.find` takes, or the name of a container in the making.
 * @throws DockApiError `container_not_found`, `ambiguous_id`.
 */
export async function locateContainer (containers: Containers, launches: Launches, reference: string, signal?: AbortSignal): Promise<Located> {
  const launch = launches.find(reference, containers.grant)
  if (launch !== undefined) return await locateLaunched(containers, launch, signal)
  try {
    const document = await containers.find(reference, signal)
    const made = launches.ofContainer(document.Id)
    return { id: made?.id ?? document.Id.slice(0, 12), document, launch: made }
  } catch (error) {
    const named = isDockApiError(error, 'container_not_found') ? launches.withoutContainer(containers.grant).find(({ name }) => name === reference) : undefined
    if (named === undefined) throw error
    return { id: named.id, launch: named }
  }
}

async function locateLaunched (containers: Containers, launch: Launch, signal?: AbortSignal): Promise<Located> {
  const { id, containerId } = launch
  const document = containerId === undefined ? undefined : await containers.find(containerId, signal).catch(ignoreNotFound)
  if (document === undefined && launch.state === 'started') throw new DockApiError('container_not_found', `There is no container "${id}" any more.`)
  return { id, document, launch }
}

/** The same once a launch that goes on was given up: what is left of it. */
export async function giveUp (containers: Containers, launches: Launches, located: Located): Promise<Located> {
  if (located.launch?.state !== 'initializing') return located
  await launches.cancel(located.launch)
  return await locateLaunched(containers, located.launch)
}

function ignoreNotFound (error: unknown): undefined {
  if (!isDockApiError(error, 'container_not_found')) throw error
}
