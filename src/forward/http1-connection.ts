import { lookup } from 'node:dns'
import type { LookupAddress, LookupOptions } from 'node:dns'
import { connect as connectPlain, isIP, Socket } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import { isForbiddenAddress } from './forbidden-address.ts'
import type { ResponseHead } from './response-head.ts'
import { createResponseParser } from './response-parser.ts'
import type { Dispatched, RequestBody, ResponseHandler, TransportSettings, UpstreamRequest } from './transport.ts'
import { UpstreamFailure } from './upstream-failure.ts'
import type { FailureKind } from './upstream-failure.ts'
import { startUpload } from './upload.ts'
import type { Upload } from './upload.ts'
import type { Upstream } from './upstream.ts'

const KEEP_ALIVE_PROBE_MS = 60_000
/** An upstream that promises to keep a connection for so long may close it that much earlier. */
const KEEP_ALIVE_MARGIN_MS = 1_000

/** One connection to an upstream, carrying one exchange after the other, never two at once. */
export type Connection = {
  /** Only while idle. */
  send (request: UpstreamRequest, handler: ResponseHandler): Dispatched
  readonly isOpen: boolean
  /** Since when it has been idle, on the clock of `performance.now()`. */
  readonly idleSince: number
  /** Ends it now; what it carries fails. */
  destroy (): void
}

/** Who keeps the connection. */
export type ConnectionOwner = {
  onIdle (connection: Connection): void
  /** Closed, or handed over after a 101. */
  onGone (connection: Connection): void
}

type Exchange = { handler: ResponseHandler, upload: Upload | undefined, head: ResponseHead | undefined, isOver: boolean }

/** Opens a connection to the very address of `upstream`; certificates are verified. */
export function openConnection (upstream: Upstream, settings: TransportSettings, owner: ConnectionOwner): Connection {
  const socket = connect(upstream)
  const connectTimer = setTimeout(() => fail('connect-timeout', 'The connection was not accepted in time.'), settings.connectTimeoutMs)
  const parser = createResponseParser({ onInterim, onHead, onData, onEnd, onSwitch })
  let answerTimer: NodeJS.Timeout | undefined
  let idleTimer: NodeJS.Timeout | undefined
  let idleTimerMs = 0
  let exchange: Exchange | undefined
  let isConnected = false
  let isOpen = true
  let isReused = false
  let hasAnswered = false
  let idleSince = 0

  socket.once(upstream.scheme === 'https' ? 'secureConnect' : 'connect', onConnect)
  socket.on('data', onBytes)
  socket.on('end', onFinish)
  socket.on('error', onError)
  socket.on('close', onClose)

  const connection: Connection = {
    send,
    destroy: () => { fail('aborted', 'The server is shutting down.') },
    get isOpen () { return isOpen },
    get idleSince () { return idleSince }
  }
  return connection

  function send (request: UpstreamRequest, handler: ResponseHandler): Dispatched {
    const upload = request.body === undefined ? undefined : startUpload(socket, request.body, touch)
    const current: Exchange = { handler, upload, head: undefined, isOver: false }
    exchange = current
    hasAnswered = false
    parser.expect({ isHead: request.method === 'HEAD', isUpgrade: request.isUpgrade })
    socket.write(serialize(request), 'latin1')
    if (isConnected) upload?.start()
    touch()
    return {
      pause: () => { if (exchange === current) socket.pause() },
      resume: () => { if (exchange === current) socket.resume() },
      abort: () => { if (exchange === current) shut(true) }
    }
  }

  /** Something went towards the upstream: the time for an answer begins anew. One timer serves all exchanges of the connection. */
  function touch () {
    if (answerTimer === undefined) answerTimer = setTimeout(onAnswerTimeout, settings.answerTimeoutMs).unref()
    else answerTimer.refresh()
  }

  function onAnswerTimeout () {
    if (exchange === undefined || exchange.head !== undefined || !isConnected) return
    if (exchange.upload?.isStarved) fail('client-timeout', 'The client stopped sending its body.')
    else fail('answer-timeout', 'No answer came in time.')
  }

  function onConnect () {
    isConnected = true
    clearTimeout(connectTimer)
    touch()
    exchange?.upload?.start()
  }

  function onBytes (bytes: Buffer) {
    hasAnswered = true
    try {
      parser.read(bytes)
    } catch (error) {
      failWith(error instanceof UpstreamFailure ? error : new UpstreamFailure('malformed', 'The answer could not be relayed.', { cause: error }))
      return
    }
    if (exchange?.isOver === true) release(exchange)
  }

  function onFinish () {
    if (exchange !== undefined && parser.finish()) shut(false)
    else fail('reset', 'The connection ended early.')
  }

  function onError (error: Error) {
    fail(isConnected ? 'reset' : kindOf(error), 'The connection failed.', error)
  }

  function onClose () {
    fail('reset', 'The connection was closed.')
  }

  function onInterim (head: ResponseHead) {
    exchange?.handler.onInterim(head)
  }

  function onHead (head: ResponseHead) {
    if (exchange === undefined) return
    exchange.head = head
    exchange.handler.onHead(head)
  }

  function onData (data: Buffer) {
    exchange?.handler.onData(data)
  }

  function onEnd (trailers: string[]) {
    if (exchange === undefined) return
    exchange.isOver = true
    exchange.handler.onEnd(trailers)
  }

  function onSwitch (head: ResponseHead, rest: Buffer) {
    if (exchange === undefined) return
    const { handler } = exchange
    exchange = undefined
    isOpen = false
    clearTimers()
    socket.pause()
    socket.off('data', onBytes).off('end', onFinish).off('error', onError).off('close', onClose)
    // The next owner may take a while to add its own; an error without a listener would end the process.
    socket.on('error', ignore)
    owner.onGone(connection)
    handler.onSwitch(head, socket, rest)
  }

  /** The answer is complete: the connection idles, or closes when either side cannot use it again. */
  function release ({ head, upload }: Exchange) {
    const isReusable = head!.isPersistent && head!.framing !== 'until-close' && (upload === undefined || upload.isDone)
    const idleMs = Math.min(settings.idleTimeoutMs, (head!.keepAliveMs ?? Infinity) - KEEP_ALIVE_MARGIN_MS)
    if (!isReusable || idleMs <= 0) {
      shut(false)
      return
    }
    exchange = undefined
    isReused = true
    idleSince = performance.now()
    if (socket.isPaused()) socket.resume()
    rest(idleMs)
    owner.onIdle(connection)
  }

  function rest (idleMs: number) {
    if (idleTimer !== undefined && idleMs === idleTimerMs) {
      idleTimer.refresh()
      return
    }
    clearTimeout(idleTimer)
    idleTimer = setTimeout(onIdleTimeout, idleMs).unref()
    idleTimerMs = idleMs
  }

  function onIdleTimeout () {
    if (exchange === undefined) shut(false)
  }

  function fail (kind: FailureKind, message: string, cause?: unknown) {
    const isStale = kind === 'reset' && isReused && !hasAnswered
    failWith(new UpstreamFailure(kind, message, { cause, isStale }))
  }

  function failWith (failure: UpstreamFailure) {
    const failed = exchange
    shut(true)
    if (failed !== undefined && !failed.isOver) failed.handler.onFailure(failure)
  }

  /** `isAbrupt`: with a reset, so that a half-sent request never looks like a whole one. */
  function shut (isAbrupt: boolean) {
    if (!isOpen) return
    isOpen = false
    exchange?.upload?.stop()
    exchange = undefined
    parser.stop()
    clearTimers()
    if (isAbrupt && isConnected && upstream.scheme === 'http') socket.resetAndDestroy()
    else socket.destroy()
    owner.onGone(connection)
  }

  function clearTimers () {
    clearTimeout(connectTimer)
    clearTimeout(answerTimer)
    clearTimeout(idleTimer)
  }
}

function connect ({ scheme, host, port }: Upstream): Socket {
  // Half-open, because a switched connection may end one direction long before the other.
  const options = { host, port, allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS, lookup: lookUpAllowed }
  if (isForbiddenAddress(host)) return refusedSocket(host)
  if (scheme === 'http') return connectPlain(options)
  return connectSecure({ ...options, ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 ? { servername: host } : {}) })
}

/** A name may resolve to what no upstream may be. */
function lookUpAllowed (name: string, options: LookupOptions, done: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void): void {
  lookup(name, options, (error, found, family) => {
    const addresses = Array.isArray(found) ? found.map(({ address }) => address) : [found]
    if (error === null && addresses.some(isForbiddenAddress)) done(new Error(`${name} resolves to an address that is never dialled`), '')
    else done(error, found, family)
  })
}

function refusedSocket (host: string): Socket {
  return new Socket().destroy(new Error(`${host} is never dialled`))
}

function kindOf (error: NodeJS.ErrnoException): FailureKind {
  return error.code === 'ETIMEDOUT' ? 'connect-timeout' : 'unreachable'
}

function serialize ({ method, path, headers, body }: UpstreamRequest): string {
  let head = `${method} ${path} HTTP/1.1\r\n`
  for (let index = 0; index < headers.length; index += 2) head += `${headers[index]}: ${headers[index + 1]}\r\n`
  return `${head}${framingOf(body)}\r\n`
}

function framingOf (body: RequestBody | undefined): string {
  if (body === undefined) return ''
  return body.length === undefined ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${body.length}\r\n`
}

function ignore () {}
