import { pipeline } from 'node:stream'
import type { Duplex, Readable } from 'node:stream'
import type { CallOptions, Engine } from './engine.ts'
import { createFrameDecoder, createRawDecoder } from './frames.ts'

export type ExecSpec = {
  command: string[]
  workdir?: string | undefined
  env?: string[] | undefined
  user?: string | undefined
  isTty: boolean
  hasStdin: boolean
}

export type ExecSession = {
  id: string
  /** The connection to the process: write its stdin here, `end` half-closes it. */
  socket: Duplex
  /** `OutputChunk`s until the process ends. */
  output: Readable
}

/** Starts a command in a running container and connects to it. `options.signal` cuts the connection, which does not end the process. */
export async function openExec (engine: Engine, containerId: string, spec: ExecSpec, options: CallOptions = {}): Promise<ExecSession> {
  const id = await createExec(engine, containerId, spec, options)
  const start = { hijack: true, stdin: spec.hasStdin, Tty: spec.isTty, Detach: false }
  const socket = await engine.open('exec.start', (docker, abortSignal) => docker.getExec(id).start({ ...start, abortSignal }), { ...options, notFound: 'container_not_found' }) as Duplex
  const output = pipeline(socket, spec.isTty ? createRawDecoder() : createFrameDecoder(), () => {})
  return { id, socket, output }
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
    ...(spec.user === undefined ? {} : { User: spec.user })
  }
  const exec = await engine.call('exec.create', (docker, abortSignal) => docker.getContainer(containerId).exec({ ...request, abortSignal }), { ...options, notFound: 'container_not_found' })
  return exec.id
}

/** The exit code, or null while the process runs. */
export async function execExitCode (engine: Engine, id: string, options?: CallOptions): Promise<number | null> {
  const { Running, ExitCode } = await engine.call('exec.inspect', (docker, abortSignal) => docker.getExec(id).inspect({ abortSignal }), { notFound: 'container_not_found', ...options })
  return Running ? null : ExitCode
}

/** Runs a command without connecting to it and without waiting for it. */
export async function execDetached (engine: Engine, containerId: string, command: string[], options: CallOptions = {}): Promise<void> {
  const id = await createExec(engine, containerId, { command, isTty: false, hasStdin: false }, options)
  await engine.call('exec.start', (docker, abortSignal) => docker.getExec(id).start({ Detach: true, abortSignal }), { ...options, notFound: 'container_not_found' })
}
