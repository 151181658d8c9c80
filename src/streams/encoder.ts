import type { Form } from './form.ts'

/** One event of a stream, whatever the form. */
export type StreamEvent = {
  /** `log`, `stats`, …; SSE's event name and the member `event` of a line of NDJSON. */
  event: string
  /** What `Last-Event-ID` takes up after this event. */
  id?: string | undefined
  data: object
}

/** Why a stream ended. */
export type EndReason =
  | 'complete' | 'container_ended' | 'container_removed' | 'until_reached' | 'limit_reached' | 'timeout'
  | 'too_slow' | 'shutting_down' | 'engine_lost' | 'failed'

/** The last event of every stream that has events. `code` and `detail` stand beside a failure. */
export type StreamEnd = { reason: EndReason, code?: string, detail?: string }

/** Writes events in one form. */
export type Encoder = {
  /** What comes before the first event. */
  readonly head: string
  /** What shows in silence that the stream lives; empty where the form has nothing of the kind. */
  readonly heartbeat: string
  encode (events: readonly StreamEvent[]): string
  /** The final event; empty where the form has none. */
  end (end: StreamEnd): string
}

/** How soon a browser's EventSource should come back, in milliseconds. */
const RETRY_MS = 2000

/** @param textOf How an event reads as plain text, its newline included. */
export function createEncoder (form: Form, textOf: (event: StreamEvent) => string): Encoder {
  switch (form) {
    case 'text': return { head: '', heartbeat: '', encode: (events) => events.map(textOf).join(''), end: () => '' }
    case 'ndjson': return { head: '', heartbeat: '', encode: (events) => events.map(lineOf).join(''), end: (end) => lineOf({ event: 'end', data: end }) }
    case 'sse': return { head: `retry: ${RETRY_MS}\n\n`, heartbeat: ': alive\n\n', encode: (events) => events.map(messageOf).join(''), end: (end) => messageOf({ event: 'end', data: end }) }
    case 'json': return createJsonEncoder()
  }
}

/** One document, for what ends by itself. It is written as it comes, and whole only with its end. */
function createJsonEncoder (): Encoder {
  let isFirst = true
  function encode (events: readonly StreamEvent[]) {
    const text = events.map(documentOf).join(',')
    if (text === '' || isFirst) {
      isFirst &&= text === ''
      return text
    }
    return `,${text}`
  }
  return { head: '{"events":[', heartbeat: '', encode, end: (end) => `],"end":${JSON.stringify(end)}}\n` }
}

/** An event as one document: a line of NDJSON, a message of a WebSocket. */
export function documentOf ({ event, id, data }: StreamEvent): string {
  return JSON.stringify({ event, id, ...data })
}

function lineOf (event: StreamEvent): string {
  return `${documentOf(event)}\n`
}

/** WHATWG HTML section 9.2: JSON has no line breaks, so one `data` line carries it. */
function messageOf ({ event, id, data }: StreamEvent): string {
  return `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`
}
