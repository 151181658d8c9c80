import type { Socket } from 'node:net'

const KEEP_ALIVE_PROBE_MS = 60_000

/** Two sockets joined for good. */
export type Tunnel = {
  /** Says goodbye to both sides; what is on its way still arrives. */
  end (): void
  /** Cuts both sides now. */
  destroy (): void
}

/**
 * Joins two sockets byte for byte after a protocol switch: each direction as fast as its reader, each end passed on by itself
 * (half-close), a reset passed on as a reset. There is no idle limit; TCP keep-alive finds peers that vanished.
 * @param onClose Called once, when both are closed.
 */
export function openTunnel (client: Socket, upstream: Socket, onClose: () => void): Tunnel {
  let openCount = 2
  join(client, upstream)
  join(upstream, client)
  client.pipe(upstream)
  upstream.pipe(client)

  function join (one: Socket, other: Socket) {
    one.setTimeout(0)
    one.setKeepAlive(true, KEEP_ALIVE_PROBE_MS)
    one.on('error', ignore)
    one.once('close', () => {
      // All that one side had to say has been passed on: the other one may still be reading it. Otherwise it learns what happened.
      if (one.readableEnded) other.destroySoon()
      else if (one.errored === null || 'encrypted' in other) other.destroy()
      else other.resetAndDestroy()
      if (--openCount === 0) onClose()
    })
  }

  function end () {
    client.end()
    upstream.end()
  }

  function destroy () {
    client.destroy()
    upstream.destroy()
  }

  return { end, destroy }
}

function ignore () {}
