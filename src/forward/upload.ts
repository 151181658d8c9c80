import type { Socket } from 'node:net'
import type { RequestBody } from './transport.ts'

/** A request body on its way to the upstream. */
export type Upload = {
  start (): void
  /** Lets go of the body, wherever it is. What was not sent stays unread. */
  stop (): void
  readonly isDone: boolean
  /** Whether it waits for the client rather than for the upstream. */
  readonly isStarved: boolean
}

/**
 * Streams `body` into `socket`, no faster than the socket takes it. A body that breaks off leaves the message unfinished: its end
 * is written only when the client's end was seen.
 * @param onProgress Called when bytes went out.
 */
export function startUpload (socket: Socket, { stream, length }: RequestBody, onProgress: () => void): Upload {
  let isStarted = false
  let isDone = length === 0

  function start () {
    if (isStarted || isDone) return
    isStarted = true
    stream.on('data', write)
    stream.once('end', end)
    socket.on('drain', drain)
  }

  function write (data: Buffer) {
    onProgress()
    const hasRoom = length === undefined ? writeChunk(data) : socket.write(data)
    if (!hasRoom) stream.pause()
  }

  /** Small chunks that arrive together leave together: one system call for all that one read brought. */
  function writeChunk (data: Buffer): boolean {
    if (socket.writableCorked === 0) {
      socket.cork()
      process.nextTick(uncork, socket)
    }
    socket.write(`${data.length.toString(16)}\r\n`, 'latin1')
    socket.write(data)
    return socket.write('\r\n', 'latin1')
  }

  function drain () {
    onProgress()
    stream.resume()
  }

  function end () {
    if (length === undefined) socket.write('0\r\n\r\n', 'latin1')
    onProgress()
    stop()
    isDone = true
  }

  function stop () {
    stream.off('data', write)
    stream.off('end', end)
    socket.off('drain', drain)
  }

  return {
    start,
    stop,
    get isDone () { return isDone },
    get isStarved () { return !isDone && !socket.writableNeedDrain }
  }
}

function uncork (socket: Socket) {
  socket.uncork()
}
