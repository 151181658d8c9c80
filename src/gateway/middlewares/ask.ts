import type { Dispatched, Dispatcher, ResponseHandler } from '../../forward/transport.ts'
import { responseHeaders } from '../../forward/response-headers.ts'
import { removeHeader } from '../../forward/header-list.ts'
import type { HeaderList } from '../../forward/header-list.ts'
import type { ResponseHead } from '../../forward/response-head.ts'
import type { Upstream } from '../../forward/upstream.ts'
import { UpstreamFailure } from '../../forward/upstream-failure.ts'

export type Question = { upstream: Upstream, path: string, headers: readonly string[] }

/** A whole answer. Headers for one hop and the framing are gone. */
export type Reply = { status: number, reason: string, headers: HeaderList, body: Buffer }

export type AskOptions = { maxBytes: number, signal: AbortSignal }

const NO_MOUNT = { prefix: '', publicAuthority: '', upstreamAuthority: '', addedPolicy: undefined }

/**
 * Sends one GET of the gateway's own and reads the whole answer; a redirect is an answer. `signal` carries the deadline.
 * @throws UpstreamFailure; the reason of `signal` when that ends it.
 */
export async function ask (dispatcher: Dispatcher, question: Question, { maxBytes, signal }: AskOptions): Promise<Reply> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const chunks: Buffer[] = []
  let length = 0
  let head: ResponseHead | undefined
  let isRepeated = false
  const handler: ResponseHandler = { onInterim: ignore, onHead, onData, onEnd, onSwitch: (_head, socket) => { socket.destroy() }, onFailure }
  let dispatched: Dispatched = send('any')
  const leave = () => { giveUp(signal.reason) }
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', leave)
  }

  function send (reuse: 'any' | 'never'): Dispatched {
    return dispatcher.dispatch({ ...question, method: 'GET', body: undefined, isUpgrade: false, reuse }, handler)
  }

  function onHead (received: ResponseHead) {
    head = received
  }

  function onData (data: Buffer) {
    length += data.length
    if (length > maxBytes) giveUp(new UpstreamFailure('answer-too-large', `The answer is larger than ${maxBytes} bytes.`))
    else chunks.push(data)
  }

  function onEnd () {
    const { status, reason } = head!
    const headers = responseHeaders(head!, NO_MOUNT)
    removeHeader(headers, 'content-length')
    resolve({ status, reason, headers, body: Buffer.concat(chunks) })
  }

  /** A kept connection that was closed just now says nothing about the server. */
  function onFailure (failure: UpstreamFailure) {
    if (!failure.isStale || isRepeated) {
      reject(failure)
      return
    }
    isRepeated = true
    dispatched = send('never')
  }

  function giveUp (reason: unknown) {
    dispatched.abort()
    reject(reason)
  }
}

function ignore () {}
