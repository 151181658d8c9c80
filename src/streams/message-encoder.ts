import type { Encoder, StreamEvent } from './encoder.ts'

const RETRY_MS = 2000
/** Before the id of the last line, once the stream has ended. */
export const END_ID = 'end~'

/**
 * Server-Sent Events whose data is the bare line, for pages that only listen with `onmessage`. A carriage return ends a line of the form (WHATWG HTML section
 * 9.2.6), so that what a container writes could otherwise pass for fields. The last event, `end`, has an id too: who comes back with it has heard all.
 */
export function createMessageEncoder (): Encoder {
  let lastId = ''

  function messageOf ({ id = '', data }: StreamEvent): string {
    lastId = id
    const lines = (data as { line: string }).line.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`)
    return `id: ${id}\n${lines.join('')}\n`
  }

  return {
    head: `retry: ${RETRY_MS}\n\n`,
    heartbeat: ': alive\n\n',
    encode: (events) => events.map(messageOf).join(''),
    end: (end) => `event: end\nid: ${END_ID}${lastId}\ndata: ${JSON.stringify(end)}\n\n`
  }
}
