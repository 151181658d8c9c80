import { accessSync, constants, readFileSync } from 'node:fs'
import { homedir } from 'node:os'

/** What finding an engine needs to know of the machine. Handed in, so that each platform is tested on any other. */
export type Machine = {
  platform: NodeJS.Platform
  home: string
  /** Of this process; undefined on Windows. */
  uid: number | undefined
  /** The text of a file, undefined when there is none. */
  readText (path: string): string | undefined
  /** Whether this process may open a file, socket or named pipe. */
  access (path: string): 'usable' | 'denied' | 'missing'
}

export function createMachine (): Machine {
  return { platform: process.platform, home: homedir(), uid: process.getuid?.(), readText, access }
}

function readText (path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function access (path: string): 'usable' | 'denied' | 'missing' {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return 'usable'
  } catch (error) {
    if (isMissing(error)) return 'missing'
    // A named pipe whose every instance is taken is busy, not denied.
    return ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '') ? 'denied' : 'usable'
  }
}

function isMissing (error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
}
