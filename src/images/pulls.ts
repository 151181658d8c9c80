import { createHash } from 'node:crypto'
import type { Engine } from '../engine/engine.ts'
import { inspectImage, pullImage } from '../engine/images.ts'
import type { RegistryAuth } from '../engine/images.ts'
import { DockApiError } from '../errors.ts'
import type { Policy } from '../policy/policy.ts'
import type { PullProgress, PullResult } from '../../schemas/images.ts'
import { findCredentials } from './credentials.ts'
import type { Credentials } from './credentials.ts'
import { createPullTally } from './pull-progress.ts'

export type PullOrder = {
  /** With tag or digest. */
  image: string
  platform?: string | undefined
  /** For this pull only; those of the docker CLI's config file when left out. */
  auth?: RegistryAuth | undefined
}

export type PullFollower = {
  /** Told of each step; a caller that joins a running pull is told at once how far it is. */
  onProgress?: ((progress: PullProgress) => void) | undefined
  /** The caller leaves. The download ends when the last one has left. */
  signal?: AbortSignal | undefined
}

/** The pulls that run now: callers who want the same image for the same platform with the same credentials share one. */
export type Pulls = {
  /**
   * Resolves when the image is on the engine.
   * @throws DockApiError `policy_denied`; the codes of `pullImage`; `client_gone` for the caller that left; `shutting_down`.
   */
  pull (order: PullOrder, follower?: PullFollower): Promise<PullResult>
  /** Ends every pull. Idempotent. */
  close (): void
}

type SharedPull = {
  result: Promise<PullResult>
  followers: Set<PullFollower>
  latest: PullProgress | undefined
  abandon (): void
}

/** @param credentials What `docker login` left, read when a pull begins. @param idleMs As of `pullImage`. */
export function createPulls (engine: Engine, credentials: () => Credentials, policy: Pick<Policy, 'enforceImage'>, idleMs?: number): Pulls {
  const closing = new AbortController()
  const running = new Map<string, SharedPull>()

  async function pull (order: PullOrder, follower: PullFollower = {}) {
    policy.enforceImage(order.image)
    const known = { ...order, auth: order.auth ?? findCredentials(credentials(), order.image) }
    const key = keyOf(known)
    return await follow(running.get(key) ?? begin(key, known), { ...follower })
  }

  function begin (key: string, order: PullOrder): SharedPull {
    const abandoned = new AbortController()
    const shared: SharedPull = {
      followers: new Set(),
      latest: undefined,
      abandon () {
        forget()
        abandoned.abort()
      },
      result: run(order, AbortSignal.any([abandoned.signal, closing.signal]), (progress) => {
        shared.latest = progress
        for (const { onProgress } of shared.followers) onProgress?.(progress)
      })
    }
    // Whoever comes after the end, good or bad, asks the registry again.
    const forget = () => { if (running.get(key) === shared) running.delete(key) }
    shared.result.then(forget, forget)
    running.set(key, shared)
    return shared
  }

  async function run ({ image, platform, auth }: PullOrder, signal: AbortSignal, onProgress: (progress: PullProgress) => void): Promise<PullResult> {
    const tally = createPullTally()
    let isUpToDate = false
    try {
      await pullImage(engine, image, {
        platform,
        auth,
        signal,
        idleMs,
        onLine (line) {
          isUpToDate ||= line.status?.startsWith('Status: Image is up to date') ?? false
          const progress = tally.note(line)
          if (progress !== undefined) onProgress(progress)
        }
      })
      const { Id: id } = await inspectImage(engine, image, { signal })
      return { id, image, status: isUpToDate ? 'up_to_date' : 'downloaded' }
    } catch (error) {
      if (closing.signal.aborted) throw new DockApiError('shutting_down', 'The server is shutting down.', { cause: error })
      throw error
    }
  }

  return { pull, close: () => closing.abort() }
}

async function follow (shared: SharedPull, follower: PullFollower): Promise<PullResult> {
  const { onProgress, signal } = follower
  const { promise: gone, reject } = Promise.withResolvers<never>()
  const leave = () => reject(new DockApiError('client_gone', 'The client went away.'))
  signal?.addEventListener('abort', leave, { once: true })
  shared.followers.add(follower)
  try {
    if (signal?.aborted === true) leave()
    else if (shared.latest !== undefined) onProgress?.(shared.latest)
    return await Promise.race([gone, shared.result])
  } finally {
    signal?.removeEventListener('abort', leave)
    shared.followers.delete(follower)
    if (shared.followers.size === 0) shared.abandon()
  }
}

/** Credentials stay out of it: only those who have the same ones get the same key. */
function keyOf ({ image, platform, auth }: PullOrder): string {
  return createHash('sha256').update(JSON.stringify([image, platform, auth?.username, auth?.password, auth?.identitytoken, auth?.serveraddress])).digest('hex')
}
