import { DockApiError, isDockApiError } from '../errors.ts'
import { inspectImage } from '../engine/images.ts'
import { formatReference, isImageId, parseReference } from '../images/reference.ts'
import type { RunRequest } from '../../schemas/run.ts'
import type { Containers } from './containers.ts'
import { chooseContainerPort, tcpPortsOf } from './ports.ts'

/** Which of the image's ports is the main one: the `only` one, the `likely` one of several, or the likely one and `none` is fine too. */
export type PortRule = 'only' | 'likely' | 'none'

/** The reference that is handed to the engine: tag included, or the id of an image on it. */
export function imageReference (image: string): string {
  return isImageId(image) ? image : formatReference(parseReference(image))
}

/**
 * The port that the image says its application listens on.
 * @returns Undefined for a job (`detach: false`) whose image exposes none, and where the rule says that none is fine.
 * @throws DockApiError `no_port` when the image exposes none, or several and the rule does not choose.
 */
export async function exposedPort (containers: Containers, reference: string, request: RunRequest, rule: PortRule = 'only', signal?: AbortSignal): Promise<number | undefined> {
  const { Config: config } = await withPull(containers, reference, request, () => inspectImage(containers.engine, reference, { signal }), signal)
  const ports = tcpPortsOf(Object.keys(config.ExposedPorts ?? {}))
  if (ports.length === 1 || rule !== 'only') {
    const port = chooseContainerPort({}, ports)
    if (port !== undefined || rule === 'none') return port
  }
  if (request.detach === false) return undefined
  const what = ports.length === 0 ? 'exposes no TCP port' : `exposes the ports ${ports.join(', ')}`
  throw new DockApiError('no_port', `The image "${request.image}" ${what}, so container_port must say which one the application listens on.`, {
    fields: [{ where: 'body', pointer: '/container_port', message: 'is required for this image' }]
  })
}

/** Does what needs the image, pulls it when it is missing and the request allows that, and does it again. */
export async function withPull<T> (containers: Containers, reference: string, request: Pick<RunRequest, 'pull' | 'platform'>, use: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await use()
  } catch (error) {
    if (!isDockApiError(error, 'image_not_local') || request.pull === 'never' || isImageId(reference)) throw error
  }
  await containers.pulls.pull({ image: reference, platform: request.platform }, { signal })
  return await use()
}
