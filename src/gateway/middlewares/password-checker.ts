import { createHmac, randomBytes } from 'node:crypto'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { DockApiError } from '../../errors.ts'
import { createBuckets } from './buckets.ts'
import { checkSha, isQuick } from './password-hash.ts'
import type { PasswordAnswer, PasswordQuestion } from './password-thread.ts'

/** Compares passwords with slow hashes, in one thread, so that guessing takes one core at most and never the one that forwards. */
export type PasswordChecker = {
  /**
   * @param source Who asks. Wrong passwords of one source, and checks that wait, are bounded.
   * @throws DockApiError `too_many_requests` when nothing can be checked now.
   */
  check (source: string, password: string, hash: string): Promise<boolean>
  close (): Promise<void>
}

/** How long a right password is known without a new check, in milliseconds. */
const REMEMBER_MS = 60_000
const MAX_REMEMBERED = 1_000
const MAX_WAITING = 32
const MAX_WAITING_OF_SOURCE = 4
/** Wrong passwords of a source: so many at once, then one in a second. */
const WRONG = { perSecond: 1, burst: 10 }
const MAX_PASSWORD_BYTES = 1024

type Waiting = { resolve (isRight: boolean): void, reject (error: unknown): void }

export function createPasswordChecker (): PasswordChecker {
  const secret = randomBytes(32)
  /** Digests of what was right, and until when it is believed. */
  const remembered = new Map<string, number>()
  const running = new Map<string, Promise<boolean>>()
  const waitingOf = new Map<string, number>()
  const waiting = new Map<number, Waiting>()
  const wrong = createBuckets(WRONG)
  let thread: Worker | undefined
  let lastId = 0

  async function check (source: string, password: string, hash: string): Promise<boolean> {
    if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return false
    const digest = createHmac('sha256', secret).update(`${hash}\0${password}`).digest('base64')
    if ((remembered.get(digest) ?? 0) > performance.now()) return true
    const isRight = await (running.get(digest) ?? start(source, digest, password, hash))
    if (isRight) remember(digest)
    return isRight
  }

  async function start (source: string, digest: string, password: string, hash: string): Promise<boolean> {
    const waitSeconds = wrong.look(source)
    if (waitSeconds > 0) throw tooMany(Math.ceil(waitSeconds))
    const count = waitingOf.get(source) ?? 0
    if (waiting.size >= MAX_WAITING || count >= MAX_WAITING_OF_SOURCE) throw tooMany(1)
    waitingOf.set(source, count + 1)
    const result = isQuick(hash) ? Promise.resolve(checkSha(password, hash)) : ask(password, hash)
    running.set(digest, result)
    try {
      const isRight = await result
      if (!isRight) wrong.take(source)
      return isRight
    } finally {
      running.delete(digest)
      const left = waitingOf.get(source)! - 1
      if (left === 0) waitingOf.delete(source)
      else waitingOf.set(source, left)
    }
  }

  function ask (password: string, hash: string): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    const id = ++lastId
    waiting.set(id, { resolve, reject })
    thread ??= startThread()
    thread.ref()
    thread.postMessage({ id, password, hash } satisfies PasswordQuestion)
    return promise
  }

  function startThread (): Worker {
    const started = new Worker(new URL(`./password-thread${extname(import.meta.url)}`, import.meta.url))
    started.on('message', ({ id, isRight }: PasswordAnswer) => {
      waiting.get(id)?.resolve(isRight)
      waiting.delete(id)
      if (waiting.size === 0) started.unref()
    })
    started.on('error', fail)
    started.on('exit', () => { fail(new Error('The thread ended.')) })

    function fail (error: Error) {
      if (thread !== started) return
      thread = undefined
      for (const { reject } of waiting.values()) reject(new DockApiError('internal_error', 'The password could not be checked.', { cause: error }))
      waiting.clear()
    }
    return started
  }

  function remember (digest: string) {
    remembered.delete(digest)
    if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value!)
    remembered.set(digest, performance.now() + REMEMBER_MS)
  }

  async function close () {
    await thread?.terminate()
  }

  return { check, close }
}

function tooMany (retryAfterSeconds: number): DockApiError {
  return new DockApiError('too_many_requests', 'Too many passwords are being tried.', { retryAfterSeconds })
}
