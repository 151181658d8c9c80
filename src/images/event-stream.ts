import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Readable } from 'node:stream'

/** The forms in which events travel; as text only what `log` says, and why it failed. */
export type EventForm = 'application/x-ndjson' | 'text/event-stream' | 'text/plain'

export type EventSink = {
  /** Sends an event; resolves when there is room for the next one. */
  send (event: string, data: object): Promise<void>
  /** Sends an event that the next one makes obsolete: a slow reader gets the newest only. */
  offer (event: string, data: object): void
}

/** Proxies between take a silent stream for dead; a comment keeps it open, in milliseconds. */
const HEARTBEAT_MS = 15_000

/**
 * A stream of the events of one piece of work, which ends with exactly one `done` (the work's result) or `error`.
 * Lines of NDJSON are `{"event": …, "data": …}`; Server-Sent Events carry the same two.
 * @param describe What `error` carries: the problem document.
 * @param signal Aborts when the reader has left: nothing more is written, and the work should end itself.
 */
export function streamEvents (form: EventForm, work: (sink: EventSink) => Promise<object>, describe: (error: unknown) => object, signal: AbortSignal): Readable {
  const stream = new PassThrough()
  const encode = ENCODERS[form]
  const heartbeat = form === 'text/event-stream' ? setInterval(() => { if (!stream.writableNeedDrain) stream.write(':\n\n') }, HEARTBEAT_MS) : undefined
  let newest: string | undefined

  async function send (event: string, data: object) {
    if (!stream.write(encode(event, data))) await once(stream, 'drain', { signal })
  }

  function offer (event: string, data: object) {
    if (stream.writableNeedDrain) newest = encode(event, data)
    else stream.write(encode(event, data))
  }

  stream.on('drain', () => {
    if (newest !== undefined) stream.write(newest)
    newest = undefined
  })
  work({ send, offer })
    .then((result) => encode('done', result), (error: unknown) => encode('error', describe(error)))
    .then((last) => {
      if (!stream.destroyed) stream.end(`${newest ?? ''}${last}`)
    }, (error: Error) => stream.destroy(error))
    .finally(() => clearInterval(heartbeat))
  return stream
}

const ENCODERS = { 'application/x-ndjson': encodeLine, 'text/event-stream': encodeServerSent, 'text/plain': encodeText }

function encodeLine (event: string, data: object): string {
  return `${JSON.stringify({ event, data })}\n`
}

/** JSON has no line breaks of its own, so that one `data:` line is enough. */
function encodeServerSent (event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

function encodeText (event: string, data: { text?: string, detail?: string }): string {
  if (event === 'log') return data.text ?? ''
  return event === 'error' ? `Error: ${data.detail}\n` : ''
}
