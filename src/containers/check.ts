import type { ContainerSpec } from '../engine/containers.ts'
import { isDockApiError } from '../errors.ts'
import { dockerRunLine } from '../policy/command-line.ts'
import type { Denial } from '../policy/denial.ts'
import type { RunRequest } from '../../schemas/run.ts'
import type { Containers } from './containers.ts'
import { checkCombination, draftSpec, mainPort, permitRequest } from './draft.ts'
import { imageReference } from './image.ts'
import { keepToOwnVolumes } from './own-volumes.ts'
import { takePlace } from './places.ts'

export type Verdict = {
  allowed: boolean
  /** Of the server's policy; `Token` is the rule of what the caller's token may not. */
  denials: Denial[]
  /** What the engine would be sent. */
  payload: ContainerSpec
  command: string
  warnings: string[]
}

/**
 * Tells what a run would do, and whether it may: nothing is made, and nothing is pulled.
 * @throws DockApiError for bad input, as `runContainer` does.
 */
export async function checkRun (containers: Containers, request: RunRequest, signal?: AbortSignal): Promise<Verdict> {
  checkCombination(request)
  const reference = imageReference(request.image)
  // What is wrong in itself is told before the image is looked at.
  draftSpec(containers, request, reference, request.container_port)
  const ofToken = await denialsOf(async () => { permitRequest(containers, request) })
  const { port, warnings } = ofToken.length > 0 ? { port: request.container_port, warnings: [] } : await knownPort(containers, request, reference, signal)
  const payload = draftSpec(containers, request, reference, port)
  const denials = [
    ...ofToken,
    ...await denialsOf(() => keepToOwnVolumes(containers, payload, signal)),
    ...await denialsOf(async () => { (await takePlace(containers, signal))() }),
    ...await containers.policy.judge(payload)
  ]
  const command = dockerRunLine(payload, { name: request.name, platform: request.platform, pull: request.pull, isDetached: request.detach !== false })
  return { allowed: denials.length === 0, denials, payload, command, warnings }
}

/** The port of an image that is not there yet is not known. */
async function knownPort (containers: Containers, request: RunRequest, reference: string, signal?: AbortSignal) {
  try {
    return { port: await mainPort(containers, { ...request, pull: 'never' }, reference, undefined, signal), warnings: [] }
  } catch (error) {
    if (!isDockApiError(error, 'image_not_local')) throw error
    return { port: undefined, warnings: [`The image "${request.image}" is not on the engine: the port that it exposes would be published too.`] }
  }
}

async function denialsOf (attempt: () => Promise<void>): Promise<Denial[]> {
  try {
    await attempt()
    return []
  } catch (error) {
    if (isDockApiError(error, 'token_restricted')) return [{ rule: 'Token', message: error.message }]
    if (isDockApiError(error, 'policy_denied')) return error.details.denials as Denial[]
    throw error
  }
}
