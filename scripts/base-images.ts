import { execFile } from 'node:child_process'
import { access, mkdir, readdir, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findProgram } from './apt.ts'
import { hasImage, importImage, listFolder, pullImage } from './images.ts'
import type { Entry } from './images.ts'
import type { Engine } from '../src/engine/engine.ts'

const run = promisify(execFile)

/** Where a downloaded busybox is kept. */
const CACHE = fileURLToPath(new URL('../node_modules/.cache/dockapi/', import.meta.url))

/** Node's names of processor architectures as Go, and so the engine, writes them. */
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' }
const PULLED_BUSYBOX = 'busybox:1.37'
const PULLED_NODE = 'node:24-bookworm-slim'

/**
 * An image with busybox's shell and tools to build on: made from this machine's files, without a registry, where this
 * machine's programs run on the engine; pulled elsewhere.
 * @returns Its reference.
 * @throws Error when it can neither be made nor pulled.
 */
export async function ensureBusyboxBase (engine: Engine, signal?: AbortSignal): Promise<string> {
  return await ensureBase(engine, 'dockapi-base-busybox:1', PULLED_BUSYBOX, busyboxEntries, signal)
}

/** As `ensureBusyboxBase`, with this very Node beside busybox: `node` and its shared libraries. */
export async function ensureNodeBase (engine: Engine, signal?: AbortSignal): Promise<string> {
  return await ensureBase(engine, `dockapi-base-node:${process.versions.node}`, PULLED_NODE, nodeEntries, signal)
}

/**
 * What an image needs to stand in for the official one of Node: a shell, Node and npm, and this machine's certificates.
 * @returns Its entries; undefined where this machine has no npm or its programs do not run on the engine.
 */
export async function listNpmBase (engine: Engine): Promise<Entry[] | undefined> {
  const node = await runsOurPrograms(engine) ? await nodeEntries() : undefined
  const program = process.env.npm_execpath ?? await findProgram('npm')
  if (node === undefined || program === undefined) return undefined
  const npm = dirname(dirname(await realpath(program)))
  const certificates = process.env.NODE_EXTRA_CA_CERTS
  return [
    ...node,
    ...await listFolder(npm, 'usr/local/lib/node_modules/npm'),
    { path: 'usr/local/bin/npm', link: '../lib/node_modules/npm/bin/npm-cli.js' },
    { path: 'usr/bin/env', link: '/bin/env' },
    ...certificates === undefined ? [] : [{ path: 'etc/ssl/certs/extra.crt', source: certificates }]
  ]
}

async function ensureBase (engine: Engine, local: string, pulled: string, listEntries: () => Promise<Entry[] | undefined>, signal?: AbortSignal): Promise<string> {
  if (await hasImage(engine, local)) return local
  const entries = await runsOurPrograms(engine) ? await listEntries() : undefined
  if (entries !== undefined) {
    await importImage(engine, local, entries, ['CMD ["sh"]', 'LABEL dockapi-base=true'])
    return local
  }
  if (!await hasImage(engine, pulled)) await pullImage(engine, pulled, signal)
  return pulled
}

/** Whether a program of this machine can be executed in a container of the engine. */
async function runsOurPrograms (engine: Engine): Promise<boolean> {
  if (process.platform !== 'linux') return false
  const { Os, Arch } = await engine.call('version', (docker) => docker.version())
  return Os === 'linux' && Arch === ARCHITECTURES[process.arch]
}

async function busyboxEntries (): Promise<Entry[] | undefined> {
  const busybox = await findStaticBusybox() ?? await downloadStaticBusybox()
  if (busybox === undefined) return undefined
  const { stdout } = await run(busybox, ['--list'])
  const applets = stdout.split('\n').filter((applet) => applet !== '' && applet !== 'busybox')
  return [
    { path: 'tmp', folder: true, mode: 0o1777 },
    { path: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' },
    { path: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
    { path: 'bin/busybox', source: busybox, mode: 0o755 },
    ...applets.map((applet) => ({ path: `bin/${applet}`, link: '/bin/busybox' }))
  ]
}

async function nodeEntries (): Promise<Entry[] | undefined> {
  const busybox = await busyboxEntries()
  if (busybox === undefined) return undefined
  return [...busybox, ...await programEntries(process.execPath, 'usr/local/bin/node')]
}

/** A program and the shared libraries that it loads, each at the path where the loader looks for it. */
export async function programEntries (program: string, path: string): Promise<Entry[]> {
  const { stdout } = await run('ldd', [program])
  const libraries = [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, library]) => library!)
  return [{ path, source: program, mode: 0o755 }, ...libraries.map((library) => ({ path: library, source: library, mode: 0o755 }))]
}

async function findStaticBusybox (): Promise<string | undefined> {
  for (const path of [`${CACHE}bin/busybox`, `${CACHE}usr/bin/busybox`, '/bin/busybox', '/usr/bin/busybox']) {
    const isThere = await access(path).then(() => true, () => false)
    if (isThere && await isStatic(path)) return path
  }
  return undefined
}

/** ldd fails on a program that loads no shared library. */
async function isStatic (program: string): Promise<boolean> {
  return await run('ldd', [program]).then(() => false, () => true)
}

/** Takes busybox out of the distribution's package without installing it: a busybox that is installed stays as it is. */
async function downloadStaticBusybox (): Promise<string | undefined> {
  try {
    await mkdir(CACHE, { recursive: true })
    await run('apt-get', ['download', 'busybox-static'], { cwd: CACHE, timeout: 60_000 })
    const archive = (await readdir(CACHE)).find((name) => name.endsWith('.deb'))
    if (archive === undefined) return undefined
    await run('dpkg-deb', ['--extract', archive, '.'], { cwd: CACHE })
  } catch {
    return undefined
  }
  return await findStaticBusybox()
}
