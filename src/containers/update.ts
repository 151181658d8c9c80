import { permitResources } from '../auth/permit.ts'
import { definedOf } from '../defined.ts'
import { updateContainer } from '../engine/containers.ts'
import type { UpdateRequest } from '../../schemas/run.ts'
import type { Containers } from './containers.ts'
import { memoryBytes } from './spec.ts'

const NANOSECONDS = 1e9

/** Changes limits and restart policy of a container; the engine applies them at once. @throws DockApiError `token_restricted`, `policy_denied`. */
export async function changeLimits (containers: Containers, id: string, request: UpdateRequest, signal?: AbortSignal): Promise<void> {
  const memory = request.memory === undefined ? undefined : memoryBytes(request.memory)
  permitResources(containers.grant, { memory, cpus: request.cpus })
  const changes = await containers.policy.enforceChanges(definedOf({
    Memory: memory,
    MemorySwap: memory,
    NanoCpus: request.cpus === undefined ? undefined : Math.round(request.cpus * NANOSECONDS),
    PidsLimit: request.pids,
    RestartPolicy: request.restart_policy === undefined ? undefined : { Name: request.restart_policy }
  }))
  await updateContainer(containers.engine, id, changes, { signal })
}
