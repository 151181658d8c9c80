import { posix } from 'node:path'
import type { Machine } from './machine.ts'

/**
 * Where engines listen when nothing says otherwise, most usual first: Docker, Docker Desktop, rootless Docker, Podman,
 * Colima, OrbStack, Rancher Desktop.
 * @param runtimeFolder `XDG_RUNTIME_DIR`; the folder that systemd makes for the user when left out.
 */
export function knownSockets ({ platform, home, uid }: Pick<Machine, 'platform' | 'home' | 'uid'>, runtimeFolder?: string): string[] {
  if (platform === 'win32') return ['//./pipe/docker_engine', '//./pipe/dockerDesktopLinuxEngine']
  const runtime = runtimeFolder ?? `/run/user/${uid ?? 0}`
  return [
    '/var/run/docker.sock',
    posix.join(home, '.docker/run/docker.sock'),
    posix.join(home, '.docker/desktop/docker.sock'),
    posix.join(runtime, 'docker.sock'),
    posix.join(runtime, 'podman/podman.sock'),
    '/run/podman/podman.sock',
    posix.join(home, '.local/share/containers/podman/machine/podman.sock'),
    posix.join(home, '.colima/default/docker.sock'),
    posix.join(home, '.config/colima/default/docker.sock'),
    posix.join(home, '.orbstack/run/docker.sock'),
    posix.join(home, '.rd/docker.sock')
  ]
}
