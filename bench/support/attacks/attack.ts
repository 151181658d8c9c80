import type { Test } from 'tap'
import type { Step } from '../../../test/support/raw-upstream.ts'
import { connect } from '../../../test/support/raw-client.ts'
import type { Answer } from '../../../test/support/raw-client.ts'

export const TOKEN = 'a-secret-of-24-characters'
/** Seconds that a head may take, and streams that may be open at once, where a stack has a setting for it. */
export const HEAD_SECONDS = 2
export const MAX_STREAMS = 10

/** A server under attack: by itself, and once more with a token. */
export type Stack = { name: string, port: number, portWithToken: number }

export type Made = { id: string, privileged: boolean, capabilities: string[], modes: string[], mounts: string[] }

/** What both stacks are attacked with. */
export type Scene = {
  /** Only to call back at the end. */
  test: Test
  image: string
  /** Labels of everything that is made, so that it is found and removed. */
  labels: Readonly<Record<string, string>>
  /** Name of a container whose application says the bytes that it is told, and one whose application does not listen. */
  application: string
  closed: string
  nodeImage: string
  /** Tells the application what to say to every request. */
  say (steps: Step[]): Promise<void>
  /** The heads that the application has got since it was last told. */
  heard (): Promise<string[]>
  /** A port of this machine at which nobody may call, and how often somebody did. */
  trap: { port: number, hits: () => number }
  /** A container on the engine, past both stacks; it runs and does nothing. */
  place (): Promise<string>
  /** The same with rights over the host, and not started: not every engine may grant them. */
  placeWith (hostConfig: object): Promise<string>
  /** What the attacks have made and left so far. */
  made (): Promise<Made[]>
  /** Removes it. */
  clear (): Promise<void>
}

/** One case: what a stack shows under attack, and whether that is as it should be. */
export type Attack = {
  id: string
  name: string
  /** @throws Error when the check cannot tell a stack that holds from one that falls short. */
  prove (): void
  /** @throws Error when what has to work for the attack to mean anything does not. */
  run (stack: Stack, scene: Scene): Promise<{ holds: boolean, seen: object }>
}

type Case<Seen extends object> = {
  id: string
  name: string
  attack (stack: Stack, scene: Scene): Promise<Seen>
  holds (seen: Seen): boolean
  /** What a stack that holds can show, and what ones that fall short can. */
  good: Seen
  bad: Seen[]
}

export function defineAttack<Seen extends object> ({ id, name, attack, holds, good, bad }: Case<Seen>): Attack {
  return {
    id,
    name,
    prove () {
      if (!holds(good) || bad.length === 0 || bad.some(holds)) throw new Error(`${id} ${name}: the check does not tell good from bad.`)
    },
    async run (stack, scene) {
      const seen = await attack(stack, scene)
      return { holds: holds(seen), seen }
    }
  }
}

export type Sent = { method?: string, path?: string, host?: string, headers?: string[], body?: string }

/** How long a stack has for an answer, in milliseconds. */
const PATIENCE_MS = 20_000

/** One request on a connection of its own, byte for byte; `undefined` when nothing came back. */
export async function send ({ test }: Scene, port: number, { method = 'GET', path = '/containers', host = `127.0.0.1:${port}`, headers = [], body }: Sent): Promise<Answer | undefined> {
  const client = await connect(test, port)
  const timer = setTimeout(() => { client.socket.destroy() }, PATIENCE_MS)
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  await client.send([`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...headers, ...length, '', body ?? ''].join('\r\n'))
  try {
    return await client.answer(method)
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
    client.socket.destroy()
  }
}

export async function statusOf (scene: Scene, port: number, sent: Sent): Promise<number> {
  return (await send(scene, port, sent))?.status ?? 0
}

export const JSON_TYPE = 'Content-Type: application/json'

/** What runs a harmless container, with changes. */
export function runBody ({ image, labels }: Scene, changes: Record<string, unknown> = {}): string {
  return JSON.stringify({ image, container_port: 80, command: ['sleep', '600'], labels, ...changes })
}

export async function run (scene: Scene, port: number, changes: Record<string, unknown> = {}, headers: string[] = []): Promise<Answer | undefined> {
  return await send(scene, port, { method: 'POST', path: '/containers/run', headers: [JSON_TYPE, ...headers], body: runBody(scene, changes) })
}

/** The status of a WebSocket handshake. */
export async function handshake (scene: Scene, port: number, path: string, sent: Omit<Sent, 'path'> = {}): Promise<number> {
  const headers = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', ...sent.headers ?? []]
  return await statusOf(scene, port, { ...sent, path, headers })
}

/** An attack that is only refused because nothing works proves nothing. */
export function insist (isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Error(`Not measured: ${what}.`)
}

export function isRefused (status: number): boolean {
  return status >= 400 && status < 500
}
