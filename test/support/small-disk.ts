import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

export type SmallDisk = {
  /** Where it is mounted. */
  folder: string
  /** Takes all the room that is left. */
  fill (): Promise<void>
  /** Gives back what `fill` took. */
  free (): Promise<void>
}

const BALLAST = 'ballast-'
const PAGE = Buffer.alloc(4096)

/** Why no file system can be mounted here, for `t.skip`; false when one can be. */
export function reasonForNoSmallDisk (): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount a small file system'
  try {
    const folder = mount('64k')
    execFileSync('umount', [folder])
    rmdirSync(folder)
    return false
  } catch {
    return 'this machine lets nobody mount a file system'
  }
}

/** A file system in memory of its own, gone when the test ends. @param size As `mount` takes it: `512k`. */
export function createSmallDisk (t: Test, size: string): SmallDisk {
  const folder = mount(size)
  t.after(() => {
    execFileSync('umount', ['--lazy', folder])
    rmdirSync(folder)
  })
  let count = 0

  async function fill () {
    const file = await open(join(folder, `${BALLAST}${count++}`), 'w')
    try {
      for (;;) await file.write(PAGE)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      await file.close()
    }
  }

  async function free () {
    const names = (await readdir(folder)).filter((name) => name.startsWith(BALLAST))
    await Promise.all(names.map((name) => rm(join(folder, name))))
  }

  return { folder, fill, free }
}

function mount (size: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'dockapi-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'dockapi-test', folder], { stdio: 'pipe' })
  return folder
}
