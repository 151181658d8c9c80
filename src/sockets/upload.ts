import { PassThrough } from 'node:stream'
import type { Readable } from 'node:stream'
import type { MessageSocket, SocketLimits } from './message-socket.ts'

/** Bulk data comes in large messages. */
export const UPLOAD_SOCKET_LIMITS: SocketLimits = { maxMessageBytes: 1024 ** 2, messages: { perSecond: 500, burst: 2000, bytesPerMessage: 256 } }

/** What a client uploads in binary messages; `{"type":"eof"}`, or any other text, ends it. */
export type SocketUpload = {
  readonly body: Readable
  /** Reads from the client as fast as the body is read. */
  from (socket: MessageSocket): void
}

/** Made before the handshake, so that what will read the body may still refuse. */
export function createSocketUpload (): SocketUpload {
  const body = new PassThrough()

  function from (socket: MessageSocket) {
    body.on('drain', () => socket.resume())
    body.on('close', () => socket.resume())
    socket.once('close', () => { body.destroy(new Error('The client left in the middle of its upload.')) })
    socket.receive((bytes, isBinary) => {
      if (!body.writable) return
      if (!isBinary) body.end()
      else if (!body.write(bytes)) socket.pause()
    })
  }

  return { body, from }
}
