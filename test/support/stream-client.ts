import type { Test } from 'tap'

/** One event as it came, whatever the form. */
export type Received = { event: string, id?: string, data: Record<string, unknown> }

export type StreamReader = {
  response: Response
  /** The next event; undefined after the last. Comments and `retry` are passed over. */
  next (): Promise<Received | undefined>
  /** Events until one satisfies `test`, that one included; rejects when the stream ends before. */
  until (test: (event: Received) => boolean): Promise<Received[]>
  /** All that is left. */
  rest (): Promise<Received[]>
  /** Leaves. */
  leave (): void
}

export type StreamOptions = {
  form?: 'ndjson' | 'sse'
  lastId?: string | undefined
  /** Sent with POST. */
  body?: Record<string, unknown>
}

const TYPES = { ndjson: 'application/x-ndjson', sse: 'text/event-stream' }

/** Opens a stream of events and reads it one by one. Left when the test ends. */
export async function openStream (t: Test, url: string, { form = 'ndjson', lastId, body }: StreamOptions = {}): Promise<StreamReader> {
  const leaving = new AbortController()
  t.after(() => leaving.abort())
  const headers = { accept: TYPES[form], ...(lastId === undefined ? {} : { 'last-event-id': lastId }) }
  const sending = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(url, { ...sending, headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, signal: leaving.signal })
  const events = form === 'sse' ? parse(response, '\n\n', parseMessage) : parse(response, '\n', parseLine)

  async function next () {
    const { value } = await events.next()
    return value as Received | undefined
  }

  async function until (test: (event: Received) => boolean) {
    const seen: Received[] = []
    for (;;) {
      const event = await next()
      if (event === undefined) throw new Error(`The stream ended after ${JSON.stringify(seen.slice(-3))}`)
      seen.push(event)
      if (test(event)) return seen
    }
  }

  async function rest () {
    const all: Received[] = []
    for await (const event of events) all.push(event)
    return all
  }
  return { response, next, until, rest, leave: () => leaving.abort() }
}

async function * parse (response: Response, separator: string, read: (text: string) => Received | undefined): AsyncGenerator<Received> {
  let text = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
    text += chunk
    const parts = text.split(separator)
    text = parts.pop()!
    for (const part of parts) {
      const event = read(part)
      if (event !== undefined) yield event
    }
  }
}

function parseLine (line: string): Received {
  const { event, id, ...data } = JSON.parse(line) as { event: string, id?: string }
  return { event, ...(id === undefined ? {} : { id }), data }
}

function parseMessage (message: string): Received | undefined {
  const fields = new Map(message.split('\n').filter((line) => !line.startsWith(':')).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
  if (!fields.has('data')) return undefined
  return { event: fields.get('event')!, ...(fields.has('id') ? { id: fields.get('id')! } : {}), data: JSON.parse(fields.get('data')!) as Record<string, unknown> }
}
