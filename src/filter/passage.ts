import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Engine } from '../engine/engine.ts'
import { relayStream, relayWhole } from '../engine/relay.ts'
import type { Question } from '../engine/relay.ts'
import { DockApiError } from '../errors.ts'
import { headersOf } from './answer.ts'
import { passEvents } from './events.ts'
import type { EventRule } from './events.ts'
import { redactJson } from './redact.ts'
import type { Rule } from './rules.ts'
import { createLine } from './line.ts'

/** Asks the engine what may be asked, and answers with what may be seen of its answer. */
export type Passage = {
  /**
   * Resolves when the answer is written, or the client has left.
   * @throws DockApiError when the engine fails, too much is asked at once, or too many streams are open.
   */
  pass (rule: Rule, question: Question, response: ServerResponse): Promise<void>
  /** Ends every stream properly, and opens none any more. */
  close (): void
}

/** A verb that the engine was asked for, and its answer; without one it may have been done or not. */
export type Change = { path: string, status: number | undefined }

export type PassageParts = EventRule & { engine: Engine, maxStreams: number, onChange (change: Change): void }

/** Questions that the engine is asked at once, of its 64 sockets: the rest stays for the API. Controls have sockets of their own. */
const MAX_QUESTIONS = 16
const MAX_CONTROLS = 16
/** The longest wait in line, in milliseconds. */
const LINE_MS = 10_000

export function createPassage ({ engine, on, isRedacted, maxStreams, onChange }: PassageParts): Passage {
  const questions = createLine(MAX_QUESTIONS, LINE_MS)
  const controls = createLine(MAX_CONTROLS, LINE_MS)
  const closing = new AbortController()
  let streams = 0

  async function pass (rule: Rule, question: Question, response: ServerResponse) {
    const left = new AbortController()
    response.once('close', () => { left.abort() })
    if (rule.answer === 'whole') await passWhole(rule, question, response, left.signal)
    else await passStream(rule, question, response, left.signal)
  }

  async function passWhole ({ method, timeoutMs }: Rule, question: Question, response: ServerResponse, signal: AbortSignal) {
    const isLong = method === 'POST'
    const giveBack = await (isLong ? controls : questions).take(signal)
    let status: number | undefined
    try {
      const { headers, body, ...answer } = await relayWhole(engine, question, { timeoutMs, signal, isLong })
      status = answer.status
      const isDocument = isRedacted && status === 200 && headers['content-type']?.startsWith('application/json') === true
      const shown = isDocument ? Buffer.from(redactJson(body.toString())) : body
      response.writeHead(status, { ...headersOf(headers), ...(hasBody(status) ? { 'content-length': shown.length } : {}) })
      response.end(shown)
    } finally {
      giveBack()
      if (isLong) onChange({ path: question.path.split('?', 1)[0]!, status })
    }
  }

  async function passStream ({ answer, timeoutMs }: Rule, question: Question, response: ServerResponse, signal: AbortSignal) {
    if (streams >= maxStreams) throw new DockApiError('too_many_streams', `There are ${streams} open streams already.`)
    streams++
    try {
      const upstream = await relayStream(engine, question, { timeoutMs, signal: AbortSignal.any([signal, closing.signal]) })
      response.writeHead(upstream.statusCode!, headersOf(upstream.headers))
      response.flushHeaders()
      const chunks = untilAborted(upstream, closing.signal)
      await pipeline(answer === 'events' && upstream.statusCode === 200 ? passEvents(chunks, { on, isRedacted }) : chunks, response)
    } finally {
      streams--
    }
  }

  return { pass, close: () => { closing.abort() } }
}

/** Ends as the engine ends, or properly when the signal aborts. */
async function * untilAborted (upstream: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield * upstream
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function hasBody (status: number): boolean {
  return status !== 204 && status !== 304
}
