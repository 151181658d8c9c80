import { spawn } from 'node:child_process'
import { access, constants, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { Failure, lastLines } from './failure.ts'
import type { Say } from './progress.ts'

/** How long apt may wait for another apt to finish, and how long it may take, in seconds and milliseconds. */
const LOCK_WAIT_SECONDS = 300
const APT_TIMEOUT_MS = 900_000

/** Whether packages may be installed here without asking: Debian, Ubuntu or a derivative, as root. */
export async function mayInstallPackages (): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release) && await findProgram('apt-get') !== undefined
}

/** Whether an init system runs that starts the services of newly installed packages. */
export async function startsServices (): Promise<boolean> {
  return await access('/run/systemd/system').then(() => true, () => false)
}

/**
 * Installs Debian packages. The package lists are fetched only when the first try fails: they are missing or out of date then.
 * @throws Failure with apt's last lines.
 */
export async function installPackages (packages: readonly string[], say: Say): Promise<void> {
  say(`installing ${packages.join(' ')} through apt`)
  const install = ['install', '--yes', '--no-install-recommends', ...packages]
  if ((await apt(install)).code === 0) return
  say('fetching the package lists first')
  const update = await apt(['update'])
  const { code, output } = await apt(install)
  if (code === 0) return
  const cause = update.code === 0 ? output : `${update.output}\n${output}`
  throw new Failure(`apt could not install ${packages.join(' ')}.`, `${lastLines(cause)}\n\nCheck the network and /etc/apt/sources.list, or run: apt-get update && apt-get install ${packages.join(' ')}`)
}

/** The path of a program on the PATH or in the system's folders, which a user's PATH may lack. */
export async function findProgram (name: string): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'].filter((folder) => folder !== '')
  for (const folder of folders) {
    const path = join(folder, name)
    if (await access(path, constants.X_OK).then(() => true, () => false)) return path
  }
  return undefined
}

async function apt (args: readonly string[]): Promise<{ code: number | null, output: string }> {
  const options = ['-o', `DPkg::Lock::Timeout=${LOCK_WAIT_SECONDS}`, '-o', 'Acquire::Retries=3', '--quiet']
  const child = spawn('apt-get', [...options, ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: APT_TIMEOUT_MS
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  return { code, output }
}
