import { realpath } from 'node:fs/promises'
import { posix, win32 } from 'node:path'
import type { Denial } from './denial.ts'

/** Never bound, whatever the roots say: who writes here owns the host. `/` itself is caught since it holds them all. */
const SYSTEM_PATHS = ['/boot', '/dev', '/etc', '/proc', '/run', '/sys', '/var/run', '/var/lib/docker', '/var/lib/containerd', '/var/lib/containers']
const ENGINE_SOCKET = /(^|\/)(docker|podman|containerd)\.sock$/

/**
 * Judges a folder of the host against DOCKAPI_VOLUME_ROOTS, with symbolic links resolved where the path is on this machine.
 * A link that is swapped after the check is not caught: the engine takes a path, not a descriptor.
 */
export async function judgeBind (source: string, roots: readonly string[]): Promise<Denial[]> {
  const path = await resolved(source)
  if (ENGINE_SOCKET.test(source) || ENGINE_SOCKET.test(path)) return [{ rule: 'Mounts', message: `"${source}" is an engine's socket, which controls the host` }]
  const system = SYSTEM_PATHS.find((place) => isWithin(path, place) || isWithin(place, path))
  if (system !== undefined) return [{ rule: 'Mounts', message: `"${source}" holds or is part of ${system}, which cannot be mounted` }]
  for (const root of roots) {
    if (isWithin(path, await resolved(root))) return []
  }
  const allowed = roots.length === 0 ? 'no host folder is allowed' : `only folders in ${roots.join(', ')} are allowed`
  return [{ rule: 'Mounts', message: `the host folder "${source}" cannot be mounted: ${allowed}`, setting: 'DOCKAPI_VOLUME_ROOTS' }]
}

/** The real path; of one that does not exist (here), the real path of its nearest ancestor with the rest behind it. */
async function resolved (path: string): Promise<string> {
  const normal = normalize(path)
  if (isWindows(normal)) return normal
  try {
    return await realpath(normal)
  } catch {
    const parent = posix.dirname(normal)
    return parent === normal ? normal : posix.join(await resolved(parent), posix.basename(normal))
  }
}

function normalize (path: string): string {
  if (isWindows(path)) return win32.normalize(path).replace(/\\+$/, '').toLowerCase()
  return posix.normalize(path).replace(/(.)\/+$/, '$1')
}

function isWindows (path: string): boolean {
  return /^[A-Za-z]:[\\/]/.test(path) || path.startsWith('\\\\')
}

function isWithin (path: string, root: string): boolean {
  if (isWindows(path) !== isWindows(root)) return false
  const separator = isWindows(root) ? '\\' : '/'
  return path === root || path.startsWith(root.endsWith(separator) ? root : root + separator)
}
