import { PassThrough, Readable, pipeline } from 'node:stream'
import type { Duplex } from 'node:stream'
import { isDockApiError } from '../errors.ts'
import type { CallOptions, Engine } from './engine.ts'
import type { OutputChunk } from './frames.ts'
import { createFrameDecoder, createRawDecoder } from './frames.ts'

export type ExecSpec = {
  command: string[]
  workdir?: string | undefined
  env?: string[] | undefined
  user?: string | undefined
  isTty: boolean
  /** Of the terminal at the start; engines before API 1.42 take it only afterwards. */
  size?: TerminalSize | undefined
  hasStdin: boolean
}

export type ExecSession = {
  id: string
  /** The connection to the process: write its stdin here, `end` half-closes it. */
  socket: Duplex
  /** `OutputChunk`s until the process ends. */
  output: Readable
}

/**
 * Starts a command in a running container and connects to it. `options.signal` cuts the connection, which does not end the process. A program that
 * is not there, or cannot be run, is a command that ended with 127 or 126, whether the engine says so in the output (Docker 20.10) or
 * refuses the start.
 */
export async function openExec (engine: Engine, containerId: string, spec: ExecSpec, options: CallOptions = {}): Promise<ExecSession> {
  const id = await createExec(engine, containerId, spec, options)
  const start = { hijack: true, stdin: spec.hasStdin, Tty: spec.isTty, Detach: false, ...consoleSize(spec) }
  let socket: Duplex
  try {
    socket = await engine.open('exec.start', (docker, abortSignal) => docker.getExec(id).start({ ...start, abortSignal }), { ...options, notFound: 'container_not_found' }) as Duplex
  } catch (error) {
    if (!isDockApiError(error, 'invalid_command')) throw error
    return { id, socket: new PassThrough().resume(), output: Readable.from([{ output: 'stderr', bytes: Buffer.from(`${error.message}\n`) } satisfies OutputChunk]) }
  }
  keepReading(socket)
  const output = pipeline(socket, spec.isTty ? createRawDecoder() : createFrameDecoder(), () => {})
  return { id, socket, output }
}

/**
 * A command that ends without having read its stdin makes the engine close the connection while stdin is written. Node then destroys the socket, and
 * with it the output that has arrived and is not read yet (seen in one of 20 commands). Such a failure only ends the stream here;
 * the exit code tells the rest.
 */
function keepReading (socket: Duplex): void {
  const destroy = socket.destroy.bind(socket)
  socket.destroy = (error?: NodeJS.ErrnoException) => {
    if (error?.code !== 'EPIPE' && error?.code !== 'ECONNRESET') return destroy(error)
    if (error.syscall === 'read') socket.push(null)
    return socket
  }
}

async function createExec (engine: Engine, containerId: string, spec: ExecSpec, options: CallOptions): Promise<string> {
  const request = {
    Cmd: spec.command,
    AttachStdin: spec.hasStdin,
    AttachStdout: true,
    AttachStderr: true,
    Tty: spec.isTty,
    ...(spec.workdir === undefined ? {} : { WorkingDir: spec.workdir }),
    ...(spec.env === undefined ? {} : { Env: spec.env }),
    ...(spec.user === undefined ? {} : { User: spec.user }),
    ...consoleSize(spec)
  }
  const exec = await engine.call('exec.create', (docker, abortSignal) => docker.getContainer(containerId).exec({ ...request, abortSignal }), { ...options, notFound: 'container_not_found' })
  return exec.id
}

function consoleSize ({ size }: ExecSpec): { ConsoleSize?: [number, number] } {
  return size === undefined ? {} : { ConsoleSize: [size.rows, size.cols] }
}

export type ExecState = {
  /** Null while the process runs. */
  exitCode: number | null
  /** Of the process on the engine's machine; 0 before it has started. */
  pid: number
}

export async function inspectExec (engine: Engine, id: string, options?: CallOptions): Promise<ExecState> {
  const { Running, ExitCode, Pid } = await engine.call('exec.inspect', (docker, abortSignal) => docker.getExec(id).inspect({ abortSignal }), { notFound: 'container_not_found', ...options })
  return { exitCode: Running ? null : ExitCode ?? null, pid: Pid }
}

export type TerminalSize = { cols: number, rows: number }

/** Only of a command with a terminal that has started. */
export async function resizeExec (engine: Engine, id: string, { cols, rows }: TerminalSize, options?: CallOptions): Promise<void> {
  await engine.call('exec.resize', (docker, abortSignal) => docker.getExec(id).resize({ w: cols, h: rows, abortSignal }), { notFound: 'container_not_found', ...options })
}

/** Starts a command without connecting to it: its output is lost. @returns Its id, as soon as it runs. */
export async function startDetached (engine: Engine, containerId: string, spec: ExecSpec, options: CallOptions = {}): Promise<string> {
  const id = await createExec(engine, containerId, spec, options)
  await engine.call('exec.start', (docker, abortSignal) => docker.getExec(id).start({ Detach: true, Tty: spec.isTty, abortSignal }), { ...options, notFound: 'container_not_found' })
  return id
}
