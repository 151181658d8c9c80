import type { IncomingMessage } from 'node:http'

/**
 * Cuts off a client that sends its body too slowly. A JSON body has to be here in time as a whole; any other may be as long as it likes and only not stop.
 * While the body waits for the engine to take it, the client is not to blame.
 * @param cut Answers and ends the connection.
 * @returns What ends the watch.
 */
export function watchBody (request: IncomingMessage, timeoutMs: number, cut: () => void): () => void {
  const isWhole = request.headers['content-type']?.startsWith('application/json') === true
  let seen = request.socket.bytesRead
  const timer = setInterval(() => {
    if (request.complete) return end()
    const { bytesRead } = request.socket
    const isStarved = request.readableLength === 0 && bytesRead === seen
    seen = bytesRead
    if (isWhole || isStarved) cut()
  }, timeoutMs).unref()

  function end () {
    clearInterval(timer)
  }
  return end
}
