import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Grant } from '../../auth/grant.ts'
import { DockApiError } from '../../errors.ts'
import type { Answer, Changes } from '../../forward/changes.ts'
import type { HeaderEdit, HeaderList } from '../../forward/header-list.ts'
import { drainBody } from '../../forward/request-body.ts'

/** A request as the gateway hands it to the middlewares of its route. */
export type PassageParts = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Who asks: the peer of the connection, or whom a trusted proxy names. */
  readonly clientAddress: string
  readonly scheme: 'http' | 'https'
  /** As asked, in lower case, without a port. */
  readonly host: string
  /** Path and query as asked, in origin-form. */
  readonly target: string
  /** The Authorization header is dockAPI's own: nobody behind it may see it. */
  readonly stripAuthorization: boolean
  /** Whether every container that could answer exists for somebody with this grant. */
  isVisibleTo (grant: Grant): boolean
}

/** Edits an answer on its way to the client, or one of the gateway's own, which has no body to go through steps. */
export type AnswerChange = (answer: Answer) => void | Promise<void>

/** Lets a request pass (true) or has answered it itself (false). @throws DockApiError for what the gateway shall answer. */
export type Pass = (passage: Passage) => boolean | Promise<boolean>

/** A request on its way through the middlewares of its route. */
export type Passage = Omit<PassageParts, 'target'> & {
  /** Path and query for the upstream; whoever rewrites it leaves a leading slash and nothing that has no place in a request line. */
  target: string
  /** Path and query as the client asked. */
  readonly askedTarget: string
  /** What has been taken off the path so far. */
  strippedPrefix: string
  readonly requestEdits: HeaderEdit[]
  maxRequestBytes: number | undefined
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
  /** Edits answers of the upstream, and with `always` those of the gateway too. Who came first on the way in comes last on the way out. */
  onAnswer (change: AnswerChange, scope?: 'upstream' | 'always'): void
  /** Answers here and now. @returns false, for `Middleware.pass` to return. */
  answer (status: number, headers: HeaderList, body?: Buffer): Promise<false>
  /**
   * Makes a failure ready to be answered by the gateway's server: with the headers that changes set, or answered here when one of them has a page for it.
   * @returns Whether it was answered.
   */
  refuse (status: number): Promise<boolean>
  /** What the forwarding core shall do; undefined when it is nothing. */
  changes (): Changes | undefined
}

export function createPassage (parts: PassageParts): Passage {
  const { request, response, clientAddress, scheme, host, target, stripAuthorization, isVisibleTo } = parts
  const changesOfAnswers: Array<{ change: AnswerChange, isForAll: boolean }> = []
  let controller: AbortController | undefined

  function signal (): AbortSignal {
    if (controller === undefined) {
      controller = new AbortController()
      if (response.destroyed) leave()
      else response.once('close', leave)
    }
    return controller.signal
  }

  function leave () {
    controller!.abort(new DockApiError('client_gone', 'The client went away.'))
  }

  function onAnswer (change: AnswerChange, scope: 'upstream' | 'always' = 'upstream') {
    changesOfAnswers.unshift({ change, isForAll: scope === 'always' })
  }

  function changeAnswer (answer: Answer): void | Promise<void> {
    return runFrom(changesOfAnswers, 0, answer)
  }

  async function answer (status: number, headers: HeaderList, body: Buffer = Buffer.alloc(0)): Promise<false> {
    write(await changeOwn(status, headers), body)
    return false
  }

  async function refuse (status: number): Promise<boolean> {
    if (response.headersSent || response.destroyed) return false
    const changed = await changeOwn(status, [])
    if (changed.replacement !== undefined) {
      write(changed, changed.replacement)
      return true
    }
    if (!response.headersSent && !response.destroyed) setHeaders(response, changed.headers)
    return false
  }

  async function changeOwn (status: number, headers: HeaderList): Promise<Answer> {
    const own: Answer = { status, reason: '', headers: [...headers], framing: 0, steps: [], replacement: undefined }
    await runFrom(changesOfAnswers.filter(({ isForAll }) => isForAll), 0, own)
    return own
  }

  function write ({ status, headers, replacement }: Answer, body: Buffer) {
    if (response.headersSent || response.destroyed) return
    const content = replacement ?? body
    drainBody(request)
    setHeaders(response, headers)
    if (status !== 204 && status !== 304) response.setHeader('Content-Length', content.length)
    response.writeHead(status)
    response.end(request.method === 'HEAD' ? undefined : content)
  }

  const passage: Passage = {
    request,
    response,
    clientAddress,
    scheme,
    host,
    target,
    stripAuthorization,
    isVisibleTo,
    askedTarget: target,
    strippedPrefix: '',
    requestEdits: [],
    maxRequestBytes: undefined,
    get signal () { return signal() },
    onAnswer,
    answer,
    refuse,
    changes
  }
  return passage

  function changes (): Changes | undefined {
    const { requestEdits, maxRequestBytes } = passage
    const hasAnswerChanges = changesOfAnswers.length > 0
    if (requestEdits.length === 0 && maxRequestBytes === undefined && !hasAnswerChanges) return undefined
    return { requestEdits, maxRequestBytes, changeAnswer: hasAnswerChanges ? changeAnswer : undefined }
  }
}

/** One after the other, waiting only for those that have to be waited for. */
function runFrom (changes: ReadonlyArray<{ change: AnswerChange }>, start: number, answer: Answer): void | Promise<void> {
  for (let index = start; index < changes.length; index++) {
    const waiting = changes[index]!.change(answer)
    if (waiting !== undefined) return waiting.then(() => runFrom(changes, index + 1, answer))
  }
}

function setHeaders (response: ServerResponse, headers: HeaderList) {
  for (let index = 0; index < headers.length; index += 2) response.appendHeader(headers[index]!, headers[index + 1]!)
}
