import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, posix, relative, sep } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pack } from 'tar-stream'
import type { Pack } from 'tar-stream'
import type { Engine } from '../src/engine/engine.ts'

/** What goes into an image or a build context: given text, a file of this machine, a symbolic link, or an empty folder. */
export type Entry =
  | { path: string, content: string | Buffer, mode?: number }
  | { path: string, source: string, mode?: number }
  | { path: string, link: string }
  | { path: string, folder: true, mode?: number }

type Message = { stream?: string, status?: string, error?: string, aux?: { ID?: string } }

const BUILD_TIMEOUT_MS = 600_000

/** Whether the engine holds the image. */
export async function hasImage (engine: Engine, reference: string): Promise<boolean> {
  const filters = { reference: [reference] }
  const images = await engine.call('images.list', (docker, signal) => docker.listImages({ filters, abortSignal: signal }))
  return images.length > 0
}

/**
 * Makes an image of one layer from files; no builder and no registry are needed.
 * @param reference `name:tag` of the new image.
 * @param changes Dockerfile instructions such as `CMD ["sh"]` that set its configuration.
 */
export async function importImage (engine: Engine, reference: string, entries: readonly Entry[], changes: readonly string[] = []): Promise<void> {
  const colon = reference.lastIndexOf(':')
  const options = { repo: reference.slice(0, colon), tag: reference.slice(colon + 1), changes }
  const file = await createTar(entries)
  await engine.call('images.import', async (docker, signal) => {
    await readMessages(await docker.importImage(file, { ...options, abortSignal: signal }))
  }, { timeoutMs: BUILD_TIMEOUT_MS })
}

export type BuildOptions = {
  buildargs?: Record<string, string>
  /** Only the stage of this name, and what it needs. */
  target?: string
  labels?: Record<string, string>
  /** `host` lets RUN steps use the network of the engine's machine. */
  networkmode?: string
  signal?: AbortSignal
}

/**
 * Builds a context that holds a `Dockerfile`, with the classic builder that every engine has.
 * @returns What the build printed.
 * @throws Error with the failing step's own message.
 */
export async function buildImage (engine: Engine, reference: string, entries: readonly Entry[], { signal: caller, ...options }: BuildOptions = {}): Promise<string> {
  const file = await createTar(entries)
  return await engine.call('images.build', async (docker, signal) => {
    return await readMessages(await docker.buildImage(file, { ...options, t: reference, rm: true, forcerm: true, abortSignal: signal }))
  }, { timeoutMs: BUILD_TIMEOUT_MS, signal: caller })
}

/** Pulls an image from its registry. */
export async function pullImage (engine: Engine, reference: string, caller?: AbortSignal): Promise<void> {
  await engine.call('images.pull', async (docker, signal) => {
    await readMessages(await docker.createImage({ fromImage: reference, abortSignal: signal }))
  }, { timeoutMs: BUILD_TIMEOUT_MS, signal: caller })
}

/** The files in a folder and its folders as entries below `path`, executable where they are here. */
export async function listFolder (folder: string, path = ''): Promise<Entry[]> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) => file.isFile())
  return await Promise.all(files.map(async (file) => {
    const source = join(file.parentPath, file.name)
    const { mode } = await stat(source)
    return { path: posix.join(path, ...relative(folder, source).split(sep)), source, mode: (mode & 0o100) === 0 ? 0o644 : 0o755 }
  }))
}

/** The entries as a tar stream. Missing source files are an error here, before anything is sent. */
export async function createTar (entries: readonly Entry[]): Promise<Readable> {
  const sizes = await Promise.all(entries.map(async (entry) => 'source' in entry ? (await stat(entry.source)).size : 0))
  const tar = pack()
  const fill = async () => {
    for (const [index, entry] of entries.entries()) await addEntry(tar, entry, sizes[index]!)
    tar.finalize()
  }
  fill().catch((error: Error) => tar.destroy(error))
  return Readable.from(tar as AsyncIterable<Buffer>, { objectMode: false })
}

async function addEntry (tar: Pack, entry: Entry, size: number): Promise<void> {
  const name = entry.path.replace(/^\/+/, '')
  if ('link' in entry) tar.entry({ name, type: 'symlink', linkname: entry.link }, '')
  else if ('folder' in entry) tar.entry({ name, type: 'directory', mode: entry.mode ?? 0o755 }, '')
  else if ('content' in entry) tar.entry({ name, mode: entry.mode ?? 0o644 }, entry.content)
  else await pipeline(createReadStream(entry.source), tar.entry({ name, size, mode: entry.mode ?? 0o644 }) as unknown as NodeJS.WritableStream)
}

/** Reads the engine's messages, one JSON document a line, to their end; an `error` message fails. */
async function readMessages (stream: NodeJS.ReadableStream): Promise<string> {
  let output = ''
  let rest = ''
  for await (const chunk of stream) {
    const lines = `${rest}${String(chunk)}`.split('\n')
    rest = lines.pop()!
    for (const line of lines) output += readMessage(line)
  }
  return output + readMessage(rest)
}

function readMessage (line: string): string {
  if (line.trim() === '') return ''
  const message = JSON.parse(line) as Message
  if (message.error !== undefined) throw new Error(message.error)
  return message.stream ?? ''
}
