import { documentOf } from '../streams/encoder.ts'
import type { EventSink } from '../streams/work.ts'
import { finishSocket } from './events.ts'
import type { MessageSocket } from './message-socket.ts'

/**
 * Sends the events of one piece of work over a WebSocket, then exactly one `done` (the work's result) or `error`, then `end`.
 * @param describe What `error` carries: the problem document. @param closing Aborted when the server shuts down.
 */
export async function sendWork (socket: MessageSocket, work: (sink: EventSink) => Promise<object>, describe: (error: unknown) => object, closing: AbortSignal): Promise<void> {
  let newest: string | undefined
  let isSending = false

  async function send (event: string, data: object) {
    await socket.send(documentOf({ event, data }))
  }

  /** While one is on its way, only the newest of the others is kept. */
  function offer (event: string, data: object) {
    newest = documentOf({ event, data })
    if (!isSending) flush().catch(() => { socket.destroy() })
  }

  async function flush () {
    isSending = true
    while (newest !== undefined) {
      const message = newest
      newest = undefined
      await socket.send(message)
    }
    isSending = false
  }

  try {
    const result = await work({ send, offer })
    await flush()
    await send('done', result)
    await finishSocket(socket, { reason: 'complete' })
  } catch (error) {
    await send('error', describe(error))
    await finishSocket(socket, { reason: closing.aborted ? 'shutting_down' : 'failed' })
  }
}
