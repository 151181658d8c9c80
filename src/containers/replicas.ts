import { labelsOfGrant, permitImage, permitResources } from '../auth/permit.ts'
import { definedOf } from '../defined.ts'
import { connectNetwork, createContainer, inspectContainer, removeContainer } from '../engine/containers.ts'
import type { ContainerDocument, ContainerSpec } from '../engine/containers.ts'
import { inspectImage } from '../engine/images.ts'
import { DockApiError, isDockApiError } from '../errors.ts'
import { FORBIDDEN_MEMBERS, NO_NEW_PRIVILEGES } from '../policy/host.ts'
import type { Judged } from '../policy/judged.ts'
import { requiredDrops } from '../policy/limits.ts'
import type { ScaleRequest } from '../../schemas/replicas.ts'
import type { Containers } from './containers.ts'
import { checkHealthPath } from './health-path.ts'
import { LABELS } from './labels.ts'
import { keepToOwnVolumes } from './own-volumes.ts'
import { takePlace } from './places.ts'
import { waitUntilReady } from './readiness.ts'
import { startOrRemove } from './start-or-remove.ts'

type HostConfig = NonNullable<ContainerSpec['HostConfig']>

/** Ends a container gently: out of rotation, its requests finished, then `end`. */
export type Drain = (containerId: string, end: () => Promise<void>) => Promise<void>

const NANOSECONDS = 1e9

/** What a replica takes over of the host configuration as it is; with it what nobody may set, so that policy refuses to copy it in part. */
const COPIED: ReadonlyArray<keyof HostConfig> = [
  'Mounts', 'Tmpfs', 'Memory', 'MemorySwap', 'NanoCpus', 'PidsLimit', 'RestartPolicy', 'AutoRemove', 'NetworkMode', 'PidMode', 'IpcMode', 'UTSMode', 'UsernsMode', 'Init', 'ReadonlyRootfs', 'LogConfig',
  ...FORBIDDEN_MEMBERS as Array<keyof HostConfig>
]

/** A container and its replicas, the oldest first. */
export async function findReplicas (containers: Containers, reference: string, signal?: AbortSignal): Promise<ContainerDocument[]> {
  const found = await containers.find(reference, signal)
  const originalId = found.Config.Labels?.[LABELS.replicaOf] ?? found.Id
  const original = originalId === found.Id ? found : await containers.find(originalId, signal).catch(ignoreNotFound)
  const listed = await containers.list({ label: [`${LABELS.replicaOf}=${originalId}`] }, signal)
  const replicas = await Promise.all(listed.map(({ Id }) => inspectContainer(containers.engine, Id, { signal }).catch(ignoreNotFound)))
  return [...(original === undefined ? [] : [original]), ...replicas.filter((document) => document !== undefined).sort(byAge)]
}

/**
 * Makes or removes replicas until there are as many as wanted: new ones like the first, with a free name and host port; the newest go first.
 * What fails in between leaves those that are ready.
 * @throws DockApiError `policy_denied` when the container has what dockAPI would not give one; the codes of create, start and readiness.
 */
export async function scale (containers: Containers, reference: string, request: ScaleRequest, drain: Drain, signal?: AbortSignal): Promise<ContainerDocument[]> {
  if (request.health_path !== undefined) checkHealthPath(request.health_path)
  const present = await findReplicas(containers, reference, signal)
  for (const { Id: id } of present.slice(request.replicas).reverse()) {
    await drain(id, async () => {
      await containers.tombstones.keep(id)
      await removeContainer(containers.engine, id, { isForced: true, withVolumes: true })
    })
  }
  for (let count = present.length; count < request.replicas; count++) {
    signal?.throwIfAborted()
    const replica = await addReplica(containers, present[0]!, signal)
    if (request.wait_ready === true) await waitUntilReady(containers, replica, { healthPath: request.health_path, timeoutMs: (request.wait_timeout ?? 30) * 1000, signal })
  }
  return await findReplicas(containers, present[0]!.Id, signal)
}

async function addReplica (containers: Containers, original: ContainerDocument, signal?: AbortSignal): Promise<ContainerDocument> {
  const { engine, grant, policy } = containers
  const giveBack = await takePlace(containers, signal)
  try {
    const draft = await specLike(containers, original, signal)
    permitImage(grant, original.Config.Image)
    // For the engine 0 is no limit at all.
    permitResources(grant, { memory: draft.HostConfig?.Memory || Infinity, cpus: (draft.HostConfig?.NanoCpus || Infinity) / NANOSECONDS })
    await keepToOwnVolumes(containers, draft, signal)
    const spec = await policy.enforce({ ...draft, Labels: { ...draft.Labels, ...labelsOfGrant(grant, Date.now()) } })
    const id = await createNamed(containers, original.Name.slice(1), spec)
    const [, ...others] = networksOf(original)
    await startOrRemove(engine, id, async () => { for (const network of others) await connectNetwork(engine, id, network) })
    return await inspectContainer(engine, id)
  } finally {
    giveBack()
  }
}

async function specLike ({ engine, config: { capDrop, publishHost } }: Containers, { Id, Name, Image, Config: config, HostConfig: host }: ContainerDocument, signal?: AbortSignal): Promise<ContainerSpec> {
  // Its name may have moved on to another image since.
  const isSameImage = await inspectImage(engine, config.Image, { signal }).then(({ Id }) => Id === Image, () => false)
  return {
    ...definedOf({
      Cmd: config.Cmd ?? undefined,
      Entrypoint: config.Entrypoint,
      WorkingDir: config.WorkingDir,
      User: config.User,
      ExposedPorts: config.ExposedPorts,
      Healthcheck: config.Healthcheck,
      StopSignal: (config as { StopSignal?: string }).StopSignal,
      StopTimeout: (config as { StopTimeout?: number }).StopTimeout
    }),
    Image: isSameImage ? config.Image : Image,
    Env: config.Env,
    Tty: config.Tty,
    Labels: { [LABELS.name]: Name.slice(1), ...config.Labels, [LABELS.managed]: 'true', [LABELS.replicaOf]: config.Labels?.[LABELS.replicaOf] ?? Id },
    HostConfig: {
      ...Object.fromEntries(COPIED.filter((member) => !isDefault(member, host[member])).map((member) => [member, host[member]])),
      SecurityOpt: [...new Set([...(host.SecurityOpt as string[] | null ?? []).filter((option) => !NO_NEW_PRIVILEGES.includes(option)), 'no-new-privileges'])],
      CapDrop: [...new Set([...(host.CapDrop as string[] | null ?? []), ...requiredDrops({ capDrop })])],
      PortBindings: Object.fromEntries(Object.keys(host.PortBindings ?? {}).map((port) => [port, [{ HostIp: publishHost, HostPort: '' }]]))
    }
  }
}

/** The engine tells its default runtime as if somebody had asked for it. */
function isDefault (member: string, value: unknown): boolean {
  return member === 'Runtime' && value === 'runc'
}

/** `web-2`, `web-3`, …: the first name that is free. */
async function createNamed ({ engine }: Containers, name: string, spec: Judged<ContainerSpec>): Promise<string> {
  for (let number = 2; number < 1000; number++) {
    try {
      return await createContainer(engine, spec, { name: `${name}-${number}` })
    } catch (error) {
      if (!isDockApiError(error, 'name_conflict')) throw error
    }
  }
  throw new DockApiError('name_conflict', `No name of the form "${name}-2" is free.`)
}

/** The network of the create first. */
function networksOf ({ HostConfig: { NetworkMode: first = '' }, NetworkSettings: { Networks: networks } }: ContainerDocument): string[] {
  return [first, ...Object.keys(networks ?? {}).filter((name) => name !== first && !(first === 'default' && name === 'bridge'))]
}

function byAge (one: ContainerDocument, other: ContainerDocument): number {
  return Date.parse(one.Created) - Date.parse(other.Created)
}

function ignoreNotFound (error: unknown): undefined {
  if (!isDockApiError(error, 'container_not_found')) throw error
}
