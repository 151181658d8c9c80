import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'

/** Where Debian puts sshd, which is not on the PATH of every user. */
const SSHD = '/usr/sbin/sshd'
const PATH = process.env.PATH ?? ''

/** A real sshd on a free loopback port, and an ssh that knows its key. */
export type SshServer = {
  /** For `DOCKER_HOST`. */
  host: string
  /** A PATH whose `ssh` reads a configuration of its own: ssh takes the home folder from the user database, not from `HOME`. */
  path: string
  /** Connections that are open now, and how many there were. */
  readonly sessions: { open: number, total: number }
}

/** Whether this machine has what it takes: OpenSSH's server and client, and the docker CLI that the remote side runs. */
export function hasSsh (): boolean {
  const isOnPath = (command: string) => PATH.split(delimiter).some((folder) => existsSync(join(folder, command)))
  return existsSync(SSHD) && ['ssh', 'ssh-keygen', 'docker'].every(isOnPath)
}

/**
 * Ends with the test.
 * @param engine `DOCKER_HOST` of the remote side.
 * @param folder Empty, for keys and configuration.
 */
export async function createSshServer (t: Test, engine: string, folder: string, { isKnown = true } = {}): Promise<SshServer> {
  const sessions = { open: 0, total: 0 }
  const children = new Set<ChildProcess>()
  const [hostKey, userKey, config] = ['host_key', 'user_key', 'sshd_config'].map((name) => join(folder, name)) as [string, string, string]
  const hostPublicKey = await createKey(hostKey)
  await writeFile(join(folder, 'authorized_keys'), await createKey(userKey))
  await writeFile(config, [
    `HostKey ${hostKey}`, `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`, `SetEnv DOCKER_HOST=${engine} PATH=${PATH}`,
    'StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'PermitRootLogin yes', ''
  ].join('\n'))
  // What a service manager makes before it starts sshd as root.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true })

  // sshd takes no port 0; as under inetd it gets a connection that is there already.
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn(SSHD, ['-i', '-e', '-f', config], { stdio: [socket, socket, 'ignore'] })
    sessions.total++
    children.add(child)
    sessions.open = children.size
    child.once('close', () => {
      children.delete(child)
      sessions.open = children.size
    })
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.after(() => {
    server.close()
    for (const child of children) child.kill()
  })

  const knownHosts = join(folder, 'known_hosts')
  await writeFile(knownHosts, isKnown ? `[127.0.0.1]:${port} ${hostPublicKey}` : '')
  await writeFile(join(folder, 'ssh_config'), `IdentityFile ${userKey}\nIdentitiesOnly yes\nUserKnownHostsFile ${knownHosts}\nGlobalKnownHostsFile /dev/null\n`)
  const commands = join(folder, 'bin')
  await mkdir(commands)
  await writeFile(join(commands, 'ssh'), `#!/bin/sh\nPATH='${PATH}' exec ssh -F '${join(folder, 'ssh_config')}' "$@"\n`, { mode: 0o755 })
  return { host: `ssh://${userInfo().username}@127.0.0.1:${port}`, path: `${commands}${delimiter}${PATH}`, sessions }
}

/** @returns The public key. */
async function createKey (file: string): Promise<string> {
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
  const { stdout } = await promisify(execFile)('ssh-keygen', ['-y', '-f', file])
  return stdout
}
