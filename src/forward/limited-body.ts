import { Readable } from 'node:stream'

/** Bytes that pass until there are too many; then nothing passes any more, not even the end. */
export type LimitedBody = {
  stream: Readable
  /** Leaves the source to others. */
  release (): void
}

/**
 * Reads nothing of `source` before it is read itself: a request that could not be sent still has its whole body for another upstream.
 * @param onExcess Called once, when more than `maxBytes` came.
 */
export function limitBody (source: Readable, maxBytes: number, onExcess: () => void): LimitedBody {
  let length = 0
  let isStarted = false
  const stream = new Readable({ read })
  return { stream, release }

  function read () {
    if (!isStarted) source.on('data', take).once('end', finish)
    isStarted = true
    source.resume()
  }

  function take (data: Buffer) {
    length += data.length
    if (length <= maxBytes) {
      if (!stream.push(data)) source.pause()
      return
    }
    release()
    onExcess()
  }

  function finish () {
    stream.push(null)
  }

  function release () {
    source.off('data', take).off('end', finish)
  }
}
