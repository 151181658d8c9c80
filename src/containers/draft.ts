import { labelsOfGrant, permitResources, permitRun } from '../auth/permit.ts'
import type { ContainerSpec } from '../engine/containers.ts'
import { DockApiError, invalidField } from '../errors.ts'
import type { Judged } from '../policy/judged.ts'
import type { RunRequest } from '../../schemas/run.ts'
import type { Containers } from './containers.ts'
import { checkHealthPath } from './health-path.ts'
import { exposedPort } from './image.ts'
import type { PortRule } from './image.ts'
import { keepToOwnVolumes } from './own-volumes.ts'
import { buildSpec, memoryBytes } from './spec.ts'

/** @throws DockApiError `invalid_request` for fields that contradict each other. */
export function checkCombination (request: RunRequest): void {
  if (request.health_path !== undefined) checkHealthPath(request.health_path)
  if (request.wait_ready === true && request.detach === false) {
    throw invalidField('body', '/wait_ready', 'cannot be combined with detach: false', 'Wait for readiness, or for the end, not for both.')
  }
  if (request.if_exists !== undefined && request.if_exists !== 'fail' && request.name === undefined) {
    throw invalidField('body', '/if_exists', 'needs a name')
  }
}

/** @throws DockApiError `token_restricted` for a run that the token may not ask for. */
export function permitRequest ({ grant }: Containers, request: RunRequest): void {
  permitRun(grant, request)
  permitResources(grant, { memory: request.memory === undefined ? undefined : memoryBytes(request.memory), cpus: request.cpus })
}

/**
 * The object that a run would send, for the policy to judge: what was asked for, what every container gets, the labels of the token.
 * @throws DockApiError `invalid_request`, `invalid_volume`.
 */
export function draftSpec ({ config, grant }: Containers, request: RunRequest, reference: string, containerPort: number | undefined): ContainerSpec {
  const spec = buildSpec(request, reference, containerPort, config)
  return { ...spec, Labels: { ...spec.Labels, ...labelsOfGrant(grant, Date.now()) } }
}

/** The very object that may be sent. @throws DockApiError of `draftSpec`; `policy_denied`; `token_restricted` for volumes of others. */
export async function judgedSpec (containers: Containers, request: RunRequest, reference: string, containerPort: number | undefined, signal?: AbortSignal): Promise<Judged<ContainerSpec>> {
  const draft = draftSpec(containers, request, reference, containerPort)
  await keepToOwnVolumes(containers, draft, signal)
  return await containers.policy.enforce(draft)
}

/** The main port: as the request says, else as the image does, which is pulled for that when it is missing. @throws DockApiError `no_port`. */
export async function mainPort (containers: Containers, request: RunRequest, reference: string, portRule: PortRule | undefined, signal?: AbortSignal): Promise<number | undefined> {
  if (request.container_port !== undefined) return request.container_port
  const port = await exposedPort(containers, reference, request, portRule, signal)
  if (port === undefined && (request.host_port ?? 0) !== 0) {
    throw new DockApiError('no_port', 'host_port is given, but neither container_port nor an exposed port of the image says what to publish.')
  }
  return port
}
