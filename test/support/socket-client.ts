import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import type { ClientOptions } from 'ws'

export type SocketMessage = { bytes: Buffer, isBinary: boolean }

export type SocketClient = {
  ws: WebSocket
  /** The next message; undefined after the last. */
  next (): Promise<SocketMessage | undefined>
  /** The next message as JSON. */
  nextJson<T = Record<string, unknown>> (): Promise<T | undefined>
  /** JSON messages until one satisfies `test`, that one included; rejects when the connection closes before. */
  until (test: (message: Record<string, unknown>) => boolean): Promise<Record<string, unknown>[]>
  /** All JSON messages that are left. */
  rest (): Promise<Record<string, unknown>[]>
  /** How the server closed. */
  closed (): Promise<{ code: number, reason: string }>
}

export type SocketOptions = ClientOptions & { protocols?: string[] }

/** Opens a WebSocket; cut when the test ends. @param url With `http:`. */
export async function openSocket (t: Test, url: string, { protocols = [], ...options }: SocketOptions = {}): Promise<SocketClient> {
  const ws = new WebSocket(url.replace(/^http/, 'ws'), protocols, options)
  t.after(() => ws.terminate())
  const messages: SocketMessage[] = []
  let wake: (() => void) | undefined
  const closed = new Promise<{ code: number, reason: string }>((resolve) => {
    ws.once('close', (code, reason) => {
      resolve({ code, reason: reason.toString() })
      wake?.()
    })
  })
  ws.on('message', (bytes: Buffer, isBinary) => {
    messages.push({ bytes, isBinary })
    wake?.()
  })
  await once(ws, 'open')
  ws.on('error', () => {})

  async function next () {
    while (messages.length === 0 && ws.readyState !== WebSocket.CLOSED) await new Promise<void>((resolve) => { wake = resolve })
    return messages.shift()
  }

  async function nextJson<T> () {
    const message = await next()
    return message === undefined ? undefined : JSON.parse(message.bytes.toString()) as T
  }

  async function until (test: (message: Record<string, unknown>) => boolean) {
    const seen: Record<string, unknown>[] = []
    for (;;) {
      const message = await nextJson<Record<string, unknown>>()
      if (message === undefined) throw new Error(`Closed after ${JSON.stringify(seen.slice(-3))}: ${JSON.stringify(await closed)}`)
      seen.push(message)
      if (test(message)) return seen
    }
  }

  async function rest () {
    const all: Record<string, unknown>[] = []
    for (let message = await nextJson<Record<string, unknown>>(); message !== undefined; message = await nextJson()) all.push(message)
    return all
  }

  return { ws, next, nextJson, until, rest, closed: () => closed }
}

export type RefusedHandshake = { status: number, headers: IncomingMessage['headers'], body: Record<string, unknown> }

/** Asks for a WebSocket that is refused. */
export async function refusedSocket (t: Test, url: string, { protocols = [], ...options }: SocketOptions = {}): Promise<RefusedHandshake> {
  const ws = new WebSocket(url.replace(/^http/, 'ws'), protocols, options)
  t.after(() => ws.terminate())
  ws.on('error', () => {})
  const [, response] = await once(ws, 'unexpected-response') as [unknown, IncomingMessage]
  const text = Buffer.concat(await response.toArray() as Buffer[]).toString()
  return { status: response.statusCode!, headers: response.headers, body: JSON.parse(text) as Record<string, unknown> }
}
