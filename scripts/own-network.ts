import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { promisify } from 'node:util'
import { findProgram } from './apt.ts'
import { Failure } from './failure.ts'

const run = promisify(execFile)

const BRIDGE = 'dockapi0'

/** Chain of the firewall that exists only beside another daemon. */
const CHAIN = 'DOCKAPI'

/**
 * Makes the network of the project's own engine: a bridge and addresses that no other Docker uses.
 * Beside another daemon the engine keeps off the firewall, whose rules a starting dockerd would flush: docker-proxy serves the
 * published ports, and one rule lets the engine's containers talk to each other.
 * @returns The arguments of dockerd.
 */
export async function createOwnNetwork (): Promise<string[]> {
  await removeOwnNetwork()
  const block = freeBlock()
  await program('ip', 'link', 'add', 'name', BRIDGE, 'type', 'bridge')
  await program('ip', 'address', 'add', `${block}.0.1/24`, 'dev', BRIDGE)
  await program('ip', 'link', 'set', BRIDGE, 'up')
  const args = ['--bridge', BRIDGE, '--default-address-pool', `base=${block}.128.0/17,size=24`]
  if (!await hasOtherDaemon()) return args

  await program('iptables', '-N', CHAIN)
  await program('iptables', '-A', CHAIN, '-s', `${block}.0.0/16`, '-d', `${block}.0.0/16`, '-j', 'ACCEPT')
  await program('iptables', '-I', 'FORWARD', '-j', CHAIN)
  return [...args, '--iptables=false', '--ip-masq=false']
}

/** Takes back what `createOwnNetwork` may have made. */
export async function removeOwnNetwork (): Promise<void> {
  const removals = [
    ['ip', 'link', 'delete', BRIDGE],
    ['iptables', '-D', 'FORWARD', '-j', CHAIN],
    ['iptables', '-F', CHAIN],
    ['iptables', '-X', CHAIN]
  ] as const
  for (const [name, ...args] of removals) await program(name, ...args).catch(() => { /* There was none. */ })
}

/** Whether a dockerd manages containers in this very network namespace. */
async function hasOtherDaemon (): Promise<boolean> {
  const namespace = await readlink('/proc/self/ns/net')
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || await readFile(`/proc/${name}/comm`, 'utf8').catch(() => '') !== 'dockerd\n') continue
    if (await readlink(`/proc/${name}/ns/net`).catch(() => '') === namespace) return true
  }
  return false
}

/** The first two bytes of a /16 network in which this machine has no address. */
function freeBlock (): string {
  const taken = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []).map(({ address }) => address)
  for (let second = 213; second < 256; second++) {
    if (!taken.some((address) => address.startsWith(`10.${second}.`))) return `10.${second}`
  }
  throw new Failure('No free network 10.x.0.0/16 is left for the engine.')
}

async function program (name: string, ...args: string[]): Promise<void> {
  const path = await findProgram(name)
  if (path === undefined) throw new Failure(`The program ${name}, which makes the engine's network, is missing.`, 'Install it (Debian: apt-get install iproute2 iptables) and try again.')
  await run(path, args)
}
