import type { Containers } from '../containers/containers.ts'
import { nameOf } from '../containers/lookup.ts'
import { inspectContainer, listContainers } from '../engine/containers.ts'
import type { ContainerSummary } from '../engine/containers.ts'
import type { Upstream } from '../forward/upstream.ts'
import { composeProject, composeServiceOf } from './names.ts'

/** Finds the server that a `forward_auth` names. */
export type AuthResolver = (address: URL, reference: string, signal: AbortSignal) => Promise<Upstream | undefined>

/** How long an answer of the engine is believed, in milliseconds. */
const KEPT_MS = 2_000
const MAX_KEPT = 200

/**
 * A middleware of the API or of the file may ask any server. One that labels declare may ask containers only, by name, service or address, and only
 * those on a network that the declaring container is on too: it reaches nothing through dockAPI that it could not reach itself.
 * @param reference Of the middleware, `docker/<owner>/<name>` for one of labels.
 */
export function createAuthResolver ({ engine, upstreamOf }: Pick<Containers, 'engine' | 'upstreamOf'>, declarersOf: (reference: string) => readonly string[]): AuthResolver {
  const kept = new Map<string, { until: number, upstream: Promise<Upstream | undefined> }>()

  return (address, reference, signal) => {
    const scheme = address.protocol === 'https:' ? 'https' : 'http'
    const port = Number(address.port || (scheme === 'https' ? 443 : 80))
    const host = address.hostname.replace(/^\[|\]$/g, '')
    const isOperators = !reference.startsWith('docker/')
    const key = `${reference} ${address.origin}`
    const known = kept.get(key)
    if (known !== undefined && known.until > performance.now()) return known.upstream
    const upstream = look().catch((error: unknown) => {
      kept.delete(key)
      throw error
    })
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value!)
    kept.set(key, { until: performance.now() + KEPT_MS, upstream })
    return upstream

    async function look (): Promise<Upstream | undefined> {
      const found = await findContainer()
      if (found !== undefined) return { ...await upstreamOf(await inspectContainer(engine, found.Id, { signal }), port), scheme }
      return isOperators ? { containerId: address.origin, scheme, host, port, reason: 'a middleware of the API or of the file names it' } : undefined
    }

    async function findContainer (): Promise<ContainerSummary | undefined> {
      const running = (await listContainers(engine, { status: ['running'] }, { signal }))
      const declarers = running.filter(({ Id }) => declarersOf(reference).includes(Id))
      const candidates = running.filter((container) => answersTo(container, host) && (isOperators || declarers.some((declarer) => sharesNetwork(declarer, container))))
      const isNear = ({ Labels }: ContainerSummary) => declarers.some((declarer) => composeProject(declarer.Labels) !== undefined && composeProject(declarer.Labels) === composeProject(Labels))
      return candidates.find(isNear) ?? candidates[0]
    }
  }
}

function answersTo ({ Names, Labels, NetworkSettings }: ContainerSummary, host: string): boolean {
  return nameOf(Names) === host || composeServiceOf(Labels) === host || Object.values(NetworkSettings?.Networks ?? {}).some(({ IPAddress }) => IPAddress !== '' && IPAddress === host)
}

function sharesNetwork (one: ContainerSummary, other: ContainerSummary): boolean {
  const networks = new Set(Object.values(one.NetworkSettings?.Networks ?? {}).map(({ NetworkID }) => NetworkID))
  return Object.values(other.NetworkSettings?.Networks ?? {}).some(({ NetworkID }) => networks.has(NetworkID))
}
