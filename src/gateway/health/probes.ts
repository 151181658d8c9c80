import { setTimeout as delay } from 'node:timers/promises'
import type { Upstream } from '../../forward/upstream.ts'
import type { ActiveHealth } from '../../../schemas/services.ts'
import { createGate } from './gate.ts'
import { probeUpstream } from './http-probe.ts'

/** What regular questions have found of one upstream. */
export type Probe = {
  /** Undefined until enough probes agree. */
  readonly isHealthy: boolean | undefined
  /** What the last one found, for people. */
  readonly detail: string
}

/** One upstream that is to be asked. */
export type ProbeWish = {
  /** Tells apart whatever needs a verdict of its own: upstream, run and settings. */
  key: string
  /** Where it is asked, or why it cannot be. */
  address: { upstream: Upstream } | { problem: string }
  health: ActiveHealth
  /** It served before it was to be asked: it does so until the probes say no. */
  isTrusted: boolean
}

/** Asks upstreams whether they are well, as long as they are wished for. */
export type Probes = {
  /** From now on these, and no others: new ones are asked at once, those that were wished for before go on as they were. */
  follow (wishes: Iterable<ProbeWish>): void
  get (key: string): Probe | undefined
  /** Ends all. */
  close (): void
}

/** Probes on their way at the same time. */
const MAX_CONCURRENT = 32
const DEFAULT_INTERVAL_S = 10
/** A new upstream is asked soon again, ever later up to its interval: it takes requests as soon as it can. */
const FIRST_PAUSE_MS = 100
const GROWTH = 1.5
/** Spreads the questions of upstreams that came together. */
const JITTER = 0.1

type RunningProbe = { isHealthy: boolean | undefined, detail: string, wish: ProbeWish, readonly stop: AbortController }

/** @param onChange Called when a verdict changes. */
export function createProbes (onChange: () => void = () => {}): Probes {
  const running = new Map<string, RunningProbe>()
  const gate = createGate(MAX_CONCURRENT)
  let isClosed = false

  function follow (wishes: Iterable<ProbeWish>) {
    if (isClosed) return
    const gone = new Set(running.keys())
    for (const wish of wishes) {
      const probe = running.get(wish.key)
      gone.delete(wish.key)
      if (probe === undefined) start(wish)
      else probe.wish = wish
    }
    for (const key of gone) end(key)
  }

  function start (wish: ProbeWish) {
    const probe: RunningProbe = { isHealthy: wish.isTrusted ? true : undefined, detail: 'Not asked yet.', wish, stop: new AbortController() }
    running.set(wish.key, probe)
    repeat(probe).catch(() => {})
  }

  function end (key: string) {
    running.get(key)?.stop.abort()
    running.delete(key)
  }

  async function repeat (probe: RunningProbe) {
    const { signal } = probe.stop
    let streak = 0
    let hasServed = probe.isHealthy === true
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs *= GROWTH) {
      const { isReady, detail } = await gate.run(() => ask(probe), signal)
      if (signal.aborted) return
      streak = isReady ? Math.max(streak, 0) + 1 : Math.min(streak, 0) - 1
      judge(probe, streak, detail)
      hasServed ||= probe.isHealthy === true
      const intervalMs = (probe.wish.health.interval ?? DEFAULT_INTERVAL_S) * 1_000
      const jitter = 1 + JITTER * (2 * Math.random() - 1)
      await delay((hasServed ? intervalMs : Math.min(pauseMs, intervalMs)) * jitter, undefined, { signal, ref: false })
    }
  }

  async function ask ({ wish: { address, health }, stop: { signal } }: RunningProbe) {
    return 'problem' in address ? { isReady: false, detail: address.problem } : await probeUpstream(address.upstream, health, signal)
  }

  /** @param streak Good probes in a row, or bad ones as a negative number. */
  function judge (probe: RunningProbe, streak: number, detail: string) {
    const { healthy_threshold: good = 1, unhealthy_threshold: bad = 2 } = probe.wish.health
    const before = probe.isHealthy
    probe.detail = detail
    if (streak >= good) probe.isHealthy = true
    else if (-streak >= bad) probe.isHealthy = false
    if (probe.isHealthy !== before) onChange()
  }

  return {
    follow,
    get: (key) => running.get(key),
    close () {
      isClosed = true
      for (const key of [...running.keys()]) end(key)
    }
  }
}
