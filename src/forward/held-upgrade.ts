import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** How many bytes of a client are kept while its upgrade is not answered yet. */
const MAX_EARLY_BYTES = 64 * 1024

/** A client that asked to switch protocols and waits for the answer. */
export type HeldUpgrade = {
  readonly socket: Socket
  /** Ends the holding. @returns The bytes that came after the request; from here on the caller reads the paused socket. */
  release (): Buffer
}

const held = new WeakMap<IncomingMessage, HeldUpgrade>()

/**
 * Keeps what a client sends after its upgrade request, and notices when it leaves meanwhile.
 * @param head The first of these bytes, from the `upgrade` event.
 */
export function holdUpgrade (request: IncomingMessage, socket: Socket, head: Buffer) {
  const chunks = [head]
  let size = head.length
  socket.on('data', keep)
  socket.on('end', leave)
  held.set(request, { socket, release })

  function keep (bytes: Buffer) {
    chunks.push(bytes)
    size += bytes.length
    if (size > MAX_EARLY_BYTES) socket.pause()
  }

  function leave () {
    socket.destroy()
  }

  function release (): Buffer {
    socket.pause()
    socket.off('data', keep).off('end', leave)
    return Buffer.concat(chunks)
  }
}

/** The waiting upgrade of a request; `undefined` for a plain one. */
export function heldUpgrade (request: IncomingMessage): HeldUpgrade | undefined {
  return held.get(request)
}
