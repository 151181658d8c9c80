import { homedir } from 'node:os'
import { join } from 'node:path'

const NAME = 'dockapi'

/** Where this platform keeps the state of programs: XDG_STATE_HOME on Linux (XDG Base Directory 0.8), the user's folders elsewhere. */
export function defaultDataDir (env: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform = process.platform): string {
  const home = homedir()
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), NAME)
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', NAME)
  return join(env.XDG_STATE_HOME || join(home, '.local', 'state'), NAME)
}
