import type { Answer, BodyStep, Changes } from './changes.ts'
import { applyEdits, headerOf, removeHeader } from './header-list.ts'
import { nominated } from './hop-by-hop.ts'
import { limitBody } from './limited-body.ts'
import type { LimitedBody } from './limited-body.ts'
import type { ResponseHead } from './response-head.ts'
import type { Dispatched, Dispatcher, ResponseHandler, UpstreamRequest } from './transport.ts'
import { UpstreamFailure } from './upstream-failure.ts'

/** How long a step may hold back what came, in milliseconds: a slow stream arrives as it is written, a fast one is not cut into pieces. */
const FLUSH_MS = 10

/** A dispatcher that makes `changes` to what passes. Exchanges without any go to the transport itself and pay nothing for it. */
export function createChangingDispatcher (transport: Dispatcher, changes: Changes): Dispatcher {
  return { dispatch: (request, handler) => startChanged(transport, changes, request, handler) }
}

function startChanged (transport: Dispatcher, changes: Changes, request: UpstreamRequest, handler: ResponseHandler): Dispatched {
  /** What the upstream did while its answer was held. */
  let held: Array<() => void> | undefined
  let steps: BodyStep[] = []
  let body: LimitedBody | undefined
  let flushTimer: NodeJS.Timeout | undefined
  let isOver = false
  const inner = transport.dispatch(changeRequest(), { onInterim: handler.onInterim, onHead, onData, onEnd, onSwitch: handler.onSwitch, onFailure })
  return { pause, resume, abort }

  function changeRequest (): UpstreamRequest {
    const headers = [...request.headers]
    applyEdits(headers, changes.requestEdits)
    if (request.body === undefined || changes.maxRequestBytes === undefined) return { ...request, headers }
    body = limitBody(request.body.stream, changes.maxRequestBytes, () => { fail(new UpstreamFailure('request-too-large', 'The body of the request is too large.')) })
    return { ...request, headers, body: { stream: body.stream, length: request.body.length } }
  }

  function onHead (head: ResponseHead) {
    if (changes.changeAnswer === undefined) {
      handler.onHead(head)
      return
    }
    const answer: Answer = { status: head.status, reason: head.reason, headers: endToEnd(head.headers), framing: head.framing, steps: [], replacement: undefined }
    const waiting = attempt(() => changes.changeAnswer!(answer))
    if (isOver) return
    if (waiting === undefined) begin(head, answer)
    else hold(head, answer, waiting)
  }

  function attempt<T> (change: () => T): T | undefined {
    try {
      return change()
    } catch (error) {
      fail(asFailure(error))
      return undefined
    }
  }

  function hold (head: ResponseHead, answer: Answer, waiting: Promise<void>) {
    held = []
    inner.pause()
    waiting.then(() => {
      const events = held!
      held = undefined
      if (isOver) return
      inner.resume()
      begin(head, answer)
      for (const event of events) event()
    }, (error: unknown) => { fail(asFailure(error)) })
  }

  function begin (head: ResponseHead, answer: Answer) {
    if (answer.replacement !== undefined) {
      replace(head, answer, answer.replacement)
      return
    }
    steps = answer.steps
    if (steps.length > 0) {
      removeHeader(answer.headers, 'content-length')
      connectSteps()
    }
    handler.onHead({ ...head, status: answer.status, reason: answer.reason, headers: answer.headers, framing: steps.length === 0 ? head.framing : 'chunked' })
  }

  function replace (head: ResponseHead, { status, reason, headers }: Answer, page: Buffer) {
    removeHeader(headers, 'content-length')
    inner.abort()
    end()
    handler.onHead({ ...head, status, reason, headers: [...headers, 'Content-Length', String(page.length)], framing: page.length })
    if (page.length > 0) handler.onData(page)
    handler.onEnd([])
  }

  function connectSteps () {
    for (const [index, { stream }] of steps.entries()) {
      stream.on('error', (error) => { fail(asFailure(error)) })
      const next = steps[index + 1]?.stream
      if (next !== undefined) stream.pipe(next)
    }
    steps[0]!.stream.on('drain', () => { inner.resume() })
    steps.at(-1)!.stream.on('data', handler.onData)
  }

  function onData (data: Buffer) {
    if (isOver) return
    if (held !== undefined) {
      held.push(() => { onData(data) })
      return
    }
    if (steps.length === 0) {
      handler.onData(data)
      return
    }
    if (!steps[0]!.stream.write(data)) inner.pause()
    flushTimer ??= setTimeout(flush, FLUSH_MS)
  }

  function flush () {
    flushTimer = undefined
    for (const step of steps) step.flush?.()
  }

  function onEnd (trailers: string[]) {
    if (isOver) return
    if (held !== undefined) {
      held.push(() => { onEnd(trailers) })
      return
    }
    if (steps.length === 0) {
      end()
      handler.onEnd(trailers)
      return
    }
    clearTimeout(flushTimer)
    steps.at(-1)!.stream.once('end', () => {
      if (isOver) return
      end()
      handler.onEnd(trailers)
    })
    steps[0]!.stream.end()
  }

  function onFailure (failure: UpstreamFailure) {
    if (held !== undefined) held.push(() => { onFailure(failure) })
    else if (!isOver) {
      end()
      handler.onFailure(failure)
    }
  }

  /** This side gives up, whatever the upstream does. */
  function fail (failure: UpstreamFailure) {
    if (isOver) return
    inner.abort()
    end()
    handler.onFailure(failure)
  }

  function end () {
    isOver = true
    body?.release()
    clearTimeout(flushTimer)
    for (const { stream } of steps) stream.destroy()
  }

  function pause () {
    if (steps.length === 0) inner.pause()
    else steps.at(-1)!.stream.pause()
  }

  function resume () {
    if (steps.length === 0) inner.resume()
    else steps.at(-1)!.stream.resume()
  }

  function abort () {
    inner.abort()
    end()
  }
}

/** Without what the upstream says to this hop alone: changes come after it, and a name that it nominates does not take them away. */
function endToEnd (headers: readonly string[]): string[] {
  const connection = headerOf(headers, 'connection')
  if (connection === undefined) return [...headers]
  const dropped = nominated(connection.toLowerCase())
  const result: string[] = []
  for (let index = 0; index < headers.length; index += 2) {
    const lower = headers[index]!.toLowerCase()
    if (lower !== 'connection' && (dropped?.has(lower) !== true || lower === 'content-length')) result.push(headers[index]!, headers[index + 1]!)
  }
  return result
}

function asFailure (error: unknown): UpstreamFailure {
  return error instanceof UpstreamFailure ? error : new UpstreamFailure('malformed', 'The answer could not be changed.', { cause: error })
}
