import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Readable } from 'node:stream'
import { createEncoder } from './encoder.ts'
import type { StreamEvent } from './encoder.ts'
import type { Form } from './form.ts'

export type EventSink = {
  /** Sends an event; resolves when there is room for the next one. */
  send (event: string, data: object): Promise<void>
  /** Sends an event that the next one makes obsolete: a slow reader gets the newest only. */
  offer (event: string, data: object): void
}

/** Proxies between take a silent stream for dead; a heartbeat keeps it open, in milliseconds. */
const HEARTBEAT_MS = 15_000

/**
 * A stream of the events of one piece of work, which ends with exactly one `done` (the work's result) or `error`. As text only what `log`
 * says, and why it failed.
 * @param describe What `error` carries: the problem document.
 * @param signal Aborts when the reader has left: nothing more is written, and the work should end itself.
 */
export function streamWork (form: Exclude<Form, 'json'>, work: (sink: EventSink) => Promise<object>, describe: (error: unknown) => object, signal: AbortSignal): Readable {
  const stream = new PassThrough()
  const encoder = createEncoder(form, textOf)
  const encode = (event: string, data: object) => encoder.encode([{ event, data }])
  const heartbeat = encoder.heartbeat === '' ? undefined : setInterval(() => { if (!stream.writableNeedDrain) stream.write(encoder.heartbeat) }, HEARTBEAT_MS)
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

function textOf ({ event, data }: StreamEvent): string {
  const { text, detail } = data as { text?: string, detail?: string }
  if (event === 'log') return text ?? ''
  return event === 'error' ? `Error: ${detail}\n` : ''
}
