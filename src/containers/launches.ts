import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import type { Grant } from '../auth/grant.ts'
import { inspectContainer } from '../engine/containers.ts'
import { DockApiError, isDockApiError } from '../errors.ts'
import type { RunRequest } from '../../schemas/run.ts'
import type { Containers } from './containers.ts'
import { runContainer } from './run.ts'

/** A container in the making, and what is remembered of how it was made. */
export type Launch = {
  /** 12 hex digits: the beginning of the container's own id; where the image had to be pulled first, an id that was given out before there was a container. */
  readonly id: string
  readonly name: string
  readonly image: string
  readonly createdAtMs: number
  /** What who began it may do; for a token narrowed to some containers only its own launches exist. */
  readonly grant: Grant
  readonly state: 'initializing' | 'started' | 'failed'
  /** Full id, once there is a container. */
  readonly containerId: string | undefined
  /** What was done so far, each line beginning with `[init] `. */
  readonly lines: readonly string[]
  /** Resolves with the next line or change of state; rejects when `signal` aborts. */
  changed (signal: AbortSignal): Promise<void>
  /** Settles with the launch; rejects with the reason when it failed. */
  readonly ended: Promise<void>
}

export type Launches = {
  /**
   * Begins to run an image and resolves as soon as there is an id: the container is made, or its image is being pulled.
   * @throws DockApiError of `runContainer` for what fails before then; what fails later is told by the launch.
   */
  begin (containers: Containers, request: RunRequest & { name: string }): Promise<Launch>
  /** The launch that gave this id out, as far as `viewer` may know of it. */
  find (id: string, viewer: Grant): Launch | undefined
  /** The launch that made this container. */
  ofContainer (containerId: string): Launch | undefined
  /** Those that have no container to show: in the making, or failed in the last minutes; as far as `viewer` may know of them. Newest first. */
  withoutContainer (viewer: Grant): Launch[]
  /** Ends a launch that goes on; resolves when it has ended, one way or the other. */
  cancel (launch: Launch): Promise<void>
  forget (launch: Launch): void
  /** Ends every launch. Idempotent. */
  close (): void
}

/** Launches that may go on at once. */
const MAX_RUNNING = 50
/** Launches that have ended and are remembered; the oldest goes first. */
const MAX_ENDED = 500
/** How long a failure shows, in milliseconds. */
const FAILURE_SHOWN_MS = 10 * 60_000
/** For the caller who is one too many, in seconds. */
const RETRY_AFTER_SECONDS = 5

type Entry = { launch: Mutable<Launch>, lines: string[], endedAtMs: number | undefined, cancel: AbortController, ended: Promise<void> }
type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export function createLaunches (): Launches {
  const closing = new AbortController()
  const entries = new Map<string, Entry>()

  async function begin (containers: Containers, request: RunRequest & { name: string }) {
    if (all().filter(({ endedAtMs }) => endedAtMs === undefined).length >= MAX_RUNNING) {
      throw new DockApiError('too_many_launches', `There are ${MAX_RUNNING} containers in the making already.`, { retryAfterSeconds: RETRY_AFTER_SECONDS })
    }
    if (all().some(({ launch }) => launch.state === 'initializing' && launch.name === request.name)) throw nameTaken(request.name)
    const news = new EventEmitter().setMaxListeners(0)
    const lines: string[] = []
    const launch: Mutable<Launch> = {
      id: '', name: request.name, image: request.image, createdAtMs: Date.now(), grant: containers.grant, state: 'initializing', containerId: undefined, lines, ended: Promise.resolve(), changed: async (signal) => { await once(news, 'news', { signal }) }
    }
    const { promise: known, resolve } = Promise.withResolvers<void>()
    const cancel = new AbortController()
    const entry: Entry = { launch, lines, endedAtMs: undefined, cancel, ended: Promise.resolve() }

    function say (line: string) {
      if (lines.at(-1) === `[init] ${line}`) return
      lines.push(`[init] ${line}`)
      news.emit('news')
    }

    function give (id: string) {
      if (launch.id !== '') return
      launch.id = id
      forgetFailureOf(request.name)
      entries.set(id, entry)
      resolve()
    }

    function end (state: 'started' | 'failed') {
      launch.state = state
      entry.endedAtMs = Date.now()
      news.emit('news')
    }

    const pull: Containers['pulls']['pull'] = async (order, follower) => {
      await checkName(containers, request.name)
      give(randomBytes(6).toString('hex'))
      const result = await containers.pulls.pull(order, follower)
      say('creating container...')
      return result
    }
    say('pulling image...')
    const run = runContainer({ ...containers, pulls: { ...containers.pulls, pull } }, request, AbortSignal.any([cancel.signal, closing.signal]), {
      portRule: 'none',
      onCreated (containerId) {
        launch.containerId = containerId
        give(containerId.slice(0, 12))
        say('creating container...')
        say('starting container...')
      }
    })
    launch.ended = run.then(() => {})
    launch.ended.catch(() => {})
    entry.ended = run.then(() => end('started'), (error: unknown) => {
      say(`error: ${cancel.signal.aborted ? 'cancelled' : (error as Error).message}`)
      end('failed')
    })
    await Promise.race([known, run])
    return launch
  }

  /** Nothing is gathered for ever. */
  function all (): Entry[] {
    const now = Date.now()
    const ended = [...entries.values()].filter(({ endedAtMs }) => endedAtMs !== undefined)
    const old = ended.filter(({ launch, endedAtMs }) => launch.state === 'failed' && now - endedAtMs! > FAILURE_SHOWN_MS)
    for (const { launch } of [...old, ...ended.slice(0, Math.max(ended.length - MAX_ENDED, 0))]) entries.delete(launch.id)
    return [...entries.values()]
  }

  /** A new attempt takes the place of one that failed. */
  function forgetFailureOf (name: string) {
    for (const { launch } of all()) if (launch.name === name && launch.state === 'failed') entries.delete(launch.id)
  }

  return {
    begin,
    find: (id, viewer) => all().find(({ launch }) => launch.id === id && isKnownTo(viewer, launch))?.launch,
    ofContainer: (containerId) => all().find(({ launch }) => launch.containerId === containerId)?.launch,
    withoutContainer: (viewer) => all().map(({ launch }) => launch).filter((launch) => isKnownTo(viewer, launch) && (launch.state === 'failed' || launch.containerId === undefined)).reverse(),
    async cancel ({ id }) {
      const entry = entries.get(id)
      entry?.cancel.abort()
      await entry?.ended
    },
    forget: ({ id }) => { entries.delete(id) },
    close: () => { closing.abort() }
  }
}

function isKnownTo ({ labels, owner }: Grant, { grant }: Launch): boolean {
  return labels === undefined || grant.owner === owner
}

/** Said before the download, not after it. */
async function checkName ({ engine }: Containers, name: string): Promise<void> {
  const document = await inspectContainer(engine, name).catch((error: unknown) => {
    if (!isDockApiError(error, 'container_not_found') && !isDockApiError(error, 'ambiguous_id')) throw error
  })
  if (document?.Name === `/${name}`) throw nameTaken(name)
}

function nameTaken (name: string): DockApiError {
  return new DockApiError('name_conflict', `The name "${name}" is taken by another container.`)
}
