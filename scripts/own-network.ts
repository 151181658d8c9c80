import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import { findProgram } from './apt.ts'
import { Failure } from './failure.ts'

const run = promisify(execFile)

/**
 * Makes the network of the project's own engine: a bridge and addresses that no other Docker uses.
 * Beside another daemon the engine keeps off the firewall, whose rules a starting dockerd would flush: docker-proxy serves the
 * published ports, and one rule lets the engine's containers talk to each other.
 * @param folder The engine's folder, from which the names are made: two engines share nothing.
 * @returns The arguments of dockerd.
 */
export async function createOwnNetwork (folder: string): Promise<string[]> {
  await removeOwnNetwork(folder)
  const { bridge, chain } = namesFor(folder)
  const block = await findFreeBlock()
  await program('ip', 'link', 'add', 'name', bridge, 'type', 'bridge')
  await program('ip', 'address', 'add', `${block}.0.1/24`, 'dev', bridge)
  await program('ip', 'link', 'set', bridge, 'up')
  const args = ['--bridge', bridge, '--default-address-pool', `base=${block}.128.0/17,size=24`]
  if (!await hasOtherDaemon()) return args

  await program('iptables', '-N', chain)
  await program('iptables', '-A', chain, '-s', `${block}.0.0/16`, '-d', `${block}.0.0/16`, '-j', 'ACCEPT')
  await program('iptables', '-I', 'FORWARD', '-j', chain)
  return [...args, '--iptables=false', '--ip-masq=false']
}

/** Takes back what `createOwnNetwork` may have made. */
export async function removeOwnNetwork (folder: string): Promise<void> {
  const { bridge, chain } = namesFor(folder)
  const removals = [
    ['ip', 'link', 'delete', bridge],
    ['iptables', '-D', 'FORWARD', '-j', chain],
    ['iptables', '-F', chain],
    ['iptables', '-X', chain]
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

/** A bridge's name has 15 characters at most. The chain exists only beside another daemon. */
function namesFor (folder: string): { bridge: string, chain: string } {
  const id = createHash('sha256').update(folder).digest('hex').slice(0, 6)
  return { bridge: `dockapi-${id}`, chain: `DOCKAPI-${id}` }
}

/** The first two bytes of a /16 network in which this machine has no address. Node does not list a bridge without containers. */
async function findFreeBlock (): Promise<string> {
  const taken = await program('ip', '-4', '-oneline', 'address', 'show')
  for (let second = 213; second < 256; second++) {
    if (!taken.includes(` 10.${second}.`)) return `10.${second}`
  }
  throw new Failure('No free network 10.x.0.0/16 is left for the engine.')
}

async function program (name: string, ...args: string[]): Promise<string> {
  const path = await findProgram(name)
  if (path === undefined) throw new Failure(`The program ${name}, which makes the engine's network, is missing.`, 'Install it (Debian: apt-get install iproute2 iptables) and try again.')
  return (await run(path, args)).stdout
}
