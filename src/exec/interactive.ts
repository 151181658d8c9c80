import type { Problem } from '../../schemas/problem.ts'
import type { MessageSocket, SocketLimits } from '../sockets/message-socket.ts'
import type { OutputName } from '../engine/frames.ts'
import { CHANNEL_DIALECT } from './channel-dialect.ts'
import type { Dialect } from './dialect.ts'
import { DOCKAPI_DIALECT } from './dockapi-dialect.ts'
import type { Exec } from './exec.ts'
import { createOutputLimit } from './limit.ts'

export const EXEC_PROTOCOLS = ['dockapi.exec.v1', 'v5.channel.k8s.io'] as const
export type ExecProtocol = (typeof EXEC_PROTOCOLS)[number]

const DIALECTS: Record<ExecProtocol, Dialect> = { 'dockapi.exec.v1': DOCKAPI_DIALECT, 'v5.channel.k8s.io': CHANNEL_DIALECT }

/** Whoever types sends a few small messages; a file comes in large ones. */
export const EXEC_SOCKET_LIMITS: SocketLimits = { maxMessageBytes: 1024 ** 2, messages: { perSecond: 500, burst: 2000, bytesPerMessage: 256 } }

/** Ctrl+D: a terminal ends its input with a character. */
const END_OF_TRANSMISSION = Buffer.of(4)

export type InteractiveOptions = {
  protocol: ExecProtocol
  /** The outputs that the client wants. */
  outputs: readonly OutputName[]
  maxOutputBytes: number | undefined
  /** The problem document of a failure. */
  describe: (error: unknown) => Problem
}

/** Connects a client with a command until one of them ends. A client that leaves ends the command, unless it is a detached one. Closes both. */
export async function serveCommand (socket: MessageSocket, exec: Exec, { protocol, outputs, maxOutputBytes, describe }: InteractiveOptions): Promise<void> {
  const dialect = DIALECTS[protocol]
  const limit = createOutputLimit(maxOutputBytes)
  listen(socket, exec, dialect)
  try {
    await socket.send(dialect.started(exec.record.id))
    for await (const chunk of exec.output()) {
      if (!outputs.includes(chunk.output)) continue
      const bytes = limit.take(chunk)
      if (bytes.length > 0) await socket.send(dialect.output(chunk.output, bytes))
    }
    await socket.send(dialect.exit(await exec.exitCode(), limit.isReached))
    socket.close(1000, '')
  } catch (error) {
    const problem = describe(await exec.explain(error))
    await socket.send(dialect.failure(problem))
    socket.close(closeCodeOf(problem), problem.detail)
  } finally {
    await exec.close()
  }
}

/** What the client says goes to the command, as fast as it takes it. */
function listen (socket: MessageSocket, { record, stdin, resize, signal }: Exec, { read, complaint }: Dialect) {
  let signalling = Promise.resolve()
  let isOpen = record.order.hasStdin
  stdin.on('drain', () => socket.resume())
  stdin.on('close', () => socket.resume())
  // A detached command goes on, and nobody is left to type.
  socket.once('close', () => { if (!record.order.isTty) stdin.end() })

  socket.receive((bytes, isBinary) => {
    const message = read(bytes, isBinary)
    switch (message.type) {
      case 'stdin': return isOpen ? write(message.bytes) : undefined
      case 'eof': return endInput()
      case 'resize':
        if (record.order.isTty) resize(message.size).catch(() => {})
        else complain('resize: the command has no terminal.')
        return
      case 'signal':
        signalling = signalling.then(() => pass(message.name))
        return
      case 'invalid': complain(message.detail)
    }
  })

  async function pass (name: NodeJS.Signals) {
    const isSent = await signal(name).catch(() => false)
    if (!isSent) complain(`signal: ${name} could not be sent: the command has ended, or dockAPI does not see its process and the image has no sh.`)
  }

  function write (bytes: Buffer) {
    record.bytes.stdin += bytes.length
    if (stdin.writable && !stdin.write(bytes)) socket.pause()
  }

  function endInput () {
    if (!isOpen) return
    if (record.order.isTty) {
      write(END_OF_TRANSMISSION)
      return
    }
    isOpen = false
    stdin.end()
  }

  function complain (detail: string) {
    const text = complaint(detail)
    if (text !== undefined) socket.send(text).catch(() => {})
  }
}

function closeCodeOf ({ code }: Problem): number {
  return code === 'shutting_down' ? 1001 : 1011
}
