import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import type { RawData } from 'ws'
import { createBudget } from './budget.ts'
import type { BudgetLimits } from './budget.ts'

export type SocketLimits = {
  /** The longest message that a client may send, in bytes; a longer one ends the connection with 1009 before it is read. */
  maxMessageBytes: number
  /** How many messages and pings a client may send; more end the connection with 1008. */
  messages: BudgetLimits
}

export type Receiver = (bytes: Buffer, isBinary: boolean) => void

/** An open WebSocket of the server's own. */
export type MessageSocket = {
  /** Text or binary. Resolves when there is room for the next one; a client that leaves none is cut. What is sent after the end is dropped. */
  send (message: string | Buffer): Promise<void>
  /** Hands over each message of the client; without a receiver they are dropped. */
  receive (receiver: Receiver): void
  /** Reads nothing more from the client until `resume`. */
  pause (): void
  resume (): void
  /** Says goodbye after what was sent. @param reason At most 123 bytes of it arrive (RFC 6455 section 5.5). */
  close (code: number, reason: string): void
  /** Cuts the connection. */
  destroy (): void
  /** The client has left, or the connection is over. */
  once (event: 'close', listener: () => void): void
}

/** What may be ready for a client and not yet taken, in bytes. */
const HIGH_WATER_BYTES = 64 * 1024
/** In milliseconds. */
const TIMES = {
  /** How long a client may leave there what is ready for it. */
  unread: 30_000,
  /** After which a client is asked whether it lives; one that has not answered by the next time is cut. Proxies between take a silent connection for dead. */
  heartbeat: 15_000,
  /** The same while nothing is read from it: that it left shows only when something is sent. */
  pausedHeartbeat: 1_000,
  /** How long a client may take to answer a close frame. */
  close: 2_000
}
const MAX_REASON_BYTES = 123
const POLICY_VIOLATION = 1008

/** @param connection The socket beneath. */
export function createMessageSocket (ws: WebSocket, connection: Socket, limits: SocketLimits, times = TIMES): MessageSocket {
  const take = createBudget(limits.messages)
  const events = new EventEmitter()
  let receiver: Receiver = () => {}
  let isAlive = true
  let pausedBeat: NodeJS.Timeout | undefined
  let closing: NodeJS.Timeout | undefined
  const beat = setInterval(ask, times.heartbeat)

  // A broken frame: the library has answered with its close code already.
  ws.on('error', cutSoon)
  ws.on('message', onMessage)
  ws.on('ping', (data) => { if (isWithinLimits(data.length)) ws.pong(data) })
  ws.on('pong', () => { isAlive = true })
  // Both have said goodbye, or the connection is gone. A client may take its time to close its side; nothing is kept open for that.
  connection.once('finish', end)
  connection.once('close', () => {
    end()
    clearTimeout(closing)
  })

  function end () {
    clearInterval(beat)
    clearInterval(pausedBeat)
    cutSoon()
    events.emit('close')
    events.removeAllListeners()
  }

  function onMessage (data: RawData, isBinary: boolean) {
    isAlive = true
    const bytes = data as Buffer
    if (isWithinLimits(bytes.length)) receiver(bytes, isBinary)
  }

  function isWithinLimits (bytes: number): boolean {
    if (ws.readyState !== WebSocket.OPEN) return false
    if (take(bytes)) return true
    close(POLICY_VIOLATION, 'too many messages')
    // What else the client sends is not even looked at; the connection ends when it answers, or after a moment.
    ws.pause()
    return false
  }

  function ask () {
    if (ws.readyState !== WebSocket.OPEN) return
    if (!isAlive && !ws.isPaused) {
      ws.terminate()
      return
    }
    isAlive = false
    ws.ping()
  }

  async function send (message: string | Buffer): Promise<void> {
    if (ws.readyState !== WebSocket.OPEN) return
    if (ws.bufferedAmount + message.length <= HIGH_WATER_BYTES) {
      ws.send(message)
      return
    }
    const cut = setTimeout(() => ws.terminate(), times.unread)
    await new Promise<void>((resolve) => { ws.send(message, () => resolve()) })
    isAlive = true
    clearTimeout(cut)
  }

  function pause () {
    if (ws.isPaused || ws.readyState !== WebSocket.OPEN) return
    ws.pause()
    pausedBeat = setInterval(() => { ws.ping() }, times.pausedHeartbeat)
  }

  function resume () {
    clearInterval(pausedBeat)
    if (ws.readyState === WebSocket.OPEN) ws.resume()
  }

  function close (code: number, reason: string) {
    if (ws.readyState !== WebSocket.OPEN) return
    // Otherwise the answer to the close frame would not be read.
    resume()
    ws.close(code, shorten(reason))
    cutSoon()
  }

  function cutSoon () {
    closing ??= setTimeout(() => ws.terminate(), times.close)
  }

  return {
    send,
    receive: (given) => { receiver = given },
    pause,
    resume,
    close,
    destroy: () => ws.terminate(),
    once: (event, listener) => { events.once(event, listener) }
  }
}

/** What fits into a close frame, no character cut in two. */
function shorten (reason: string): string {
  return new TextDecoder().decode(Buffer.from(reason).subarray(0, MAX_REASON_BYTES), { stream: true })
}
