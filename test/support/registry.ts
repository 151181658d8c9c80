import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

const PROGRAM = '/usr/bin/docker-registry'
const START_TIMEOUT_MS = 20_000

/** Why there can be no registry on this machine, for `t.skip`; undefined when there can be. */
export const registryMissing = existsSync(PROGRAM) ? undefined : 'docker-registry is not installed (Debian package docker-registry)'

export type Registry = {
  host: string
  /** Kills it, as a machine that fails does. */
  stop (): Promise<void>
  /** It is back at the same address with what it had. */
  start (): Promise<void>
  /** It stands still: connections stay open, and new ones are taken by the kernel, but nothing answers. */
  freeze (): void
  thaw (): void
}

/** Starts a real registry on a free loopback port, with basic authentication when `users` is given (htpasswd lines). */
export async function startRegistry (t: Test, { htpasswd }: { htpasswd?: string } = {}): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), 'dockapi-registry-'))
  const host = `127.0.0.1:${await freePort()}`
  const auth = htpasswd === undefined ? '' : `auth:\n  htpasswd:\n    realm: test\n    path: ${join(folder, 'htpasswd')}\n`
  if (htpasswd !== undefined) await writeFile(join(folder, 'htpasswd'), htpasswd)
  await writeFile(join(folder, 'config.yml'), `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${join(folder, 'data')}\nhttp:\n  addr: ${host}\n  secret: ${createHash('sha256').update(folder).digest('hex')}\n${auth}`)
  let child: ChildProcess
  let ended: Promise<unknown>

  async function start () {
    child = spawn(PROGRAM, ['serve', join(folder, 'config.yml')], { stdio: 'ignore' })
    ended = once(child, 'exit')
    await answers(`http://${host}/v2/`)
  }

  async function stop () {
    child.kill('SIGKILL')
    await ended
  }

  t.after(async () => {
    await stop()
    await rm(folder, { recursive: true, force: true })
  })
  await start()
  return { host, stop, start, freeze: () => { child.kill('SIGSTOP') }, thaw: () => { child.kill('SIGCONT') } }
}

async function answers (url: string): Promise<void> {
  const deadline = AbortSignal.timeout(START_TIMEOUT_MS)
  while (!deadline.aborted) {
    const response = await fetch(url, { signal: deadline }).catch(() => undefined)
    if (response !== undefined) return
  }
  throw new Error(`The registry did not start at ${url}.`)
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
