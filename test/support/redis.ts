import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Test } from 'tap'
import { Redis } from 'ioredis'
import { freePort } from './free-port.ts'

const PROGRAM = '/usr/bin/redis-server'
const WITHIN_MS = 20_000

/** Why there can be no Redis on this machine, for `t.skip`; undefined when there can be. */
export const redisMissing = existsSync(PROGRAM) ? undefined : 'redis-server is not installed (Debian package redis-server)'

export type RedisServer = {
  /** With its password. */
  url: string
  port: number
  stop (): Promise<void>
}

/** Starts a real Redis on a loopback port, which keeps nothing on disk. */
export async function startRedis (t: Test, { password, port: wanted }: { password: string, port?: number }): Promise<RedisServer> {
  const port = wanted ?? await freePort()
  const child = spawn(PROGRAM, ['--port', String(port), '--bind', '127.0.0.1', '--requirepass', password, '--save', '', '--appendonly', 'no'], { stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => { child.once('exit', () => { resolve() }) })
  const stop = async () => {
    child.kill('SIGKILL')
    await ended
  }
  t.after(stop)
  const url = `redis://:${password}@127.0.0.1:${port}`
  await answers(url)
  return { url, port, stop }
}

async function answers (url: string): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null })
  client.on('error', () => {})
  const timer = setTimeout(() => { client.disconnect() }, WITHIN_MS)
  await client.ping().finally(() => {
    clearTimeout(timer)
    client.disconnect()
  })
}
