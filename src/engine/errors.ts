import { DockApiError } from '../errors.ts'
import type { ErrorCode } from '../error-codes.ts'
import type { Endpoint } from './endpoint.ts'
import { EngineResponseError } from './modem.ts'
import { meaningOf } from './sentences.ts'
import { explainUnavailable } from './unavailable.ts'

export type EngineFailure = {
  /** `containers.start`; `images.pull` reads the sentences of registries. */
  operation: string
  isTimeout: boolean
  isAborted: boolean
  /** What a 404 means for this operation, where the engine's sentence names nothing more exact. */
  notFound?: ErrorCode | undefined
  endpoint?: Endpoint | undefined
}

/** The longest sentence of the engine that is passed on, in characters. */
const MAX_SENTENCE = 1000

/** The one place where what the engine said becomes an error of ours. `cause` keeps what was caught. */
export function translateEngineError (error: unknown, failure: EngineFailure): DockApiError {
  if (error instanceof DockApiError) return error
  if (failure.isAborted) return new DockApiError('client_gone', 'The client went away.', { cause: error })
  if (failure.isTimeout) return new DockApiError('engine_timeout', `The engine did not answer to ${failure.operation} in time.`, { cause: error })
  if (error instanceof EngineResponseError) return translateResponse(error, failure)
  if (isConnectionLost(error)) return explainUnavailable(error, failure.endpoint)
  // Said within an answer, such as in the 200 stream of a pull.
  return translateSentence((error as Error).message, 'engine_error', failure, error)
}

/** The HTTP status behind a translated error, such as 304 for a container that was in that state already; undefined when none came. */
export function engineStatus (error: unknown): number | undefined {
  return error instanceof DockApiError && error.cause instanceof EngineResponseError ? error.cause.statusCode : undefined
}

/** Whether the engine refused the version of its API that was negotiated: it was replaced by another meanwhile. */
export function isVersionRefused (error: unknown): boolean {
  return error instanceof EngineResponseError && error.statusCode === 400 && /client version \S+ is too (?:old|new)/i.test(error.message)
}

/** Whether the connection failed, not the request: what node, OpenSSL and ssh say of a connection has a code. */
export function isConnectionLost (error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return !(error instanceof DockApiError) && typeof code === 'string' && code !== 'ABORT_ERR'
}

/** Whether the engine certainly saw nothing of the request. */
export function isNeverSent (error: unknown): boolean {
  return isConnectionLost(error) && ['ENOENT', 'ECONNREFUSED', 'ENOTFOUND', 'EACCES'].includes((error as NodeJS.ErrnoException).code!)
}

function translateResponse (error: EngineResponseError, failure: EngineFailure): DockApiError {
  const { statusCode: status, json, switches } = error
  if (switches.length > 0) return refusedByProxy(error)
  if (json !== undefined && 'switches' in json) return new DockApiError('feature_disabled', sentenceOf(error), { hint: 'No switch of the filter opens this: reach the engine another way.', cause: error })
  if (json === undefined && (status === 502 || status === 503 || status === 504)) return proxyWithoutEngine(error)
  if (/sent an HTTP request to an HTTPS server/i.test(error.message)) {
    return new DockApiError('engine_unavailable', 'The engine wants TLS on this port.', { hint: 'Set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH.', cause: error })
  }
  return translateSentence(sentenceOf(error), codeOfStatus(status, error.message, failure), failure, error)
}

function translateSentence (sentence: string, otherwise: ErrorCode, failure: EngineFailure, cause: unknown): DockApiError {
  return new DockApiError(meaningOf(sentence, { isPull: isPull(failure) }) ?? otherwise, sentence, { cause })
}

/** What a status means when the sentence says nothing more exact (Docker API, each operation's responses). */
function codeOfStatus (status: number, sentence: string, { notFound }: EngineFailure): ErrorCode {
  if (status === 404 && /page not found/i.test(sentence)) return 'engine_error'
  if (status === 404) return notFound ?? 'engine_refused'
  if (status === 409 || status === 304) return 'engine_conflict'
  if (status === 400 || status === 403 || /unable to find user|cannot assign requested address/i.test(sentence)) return 'engine_refused'
  return 'engine_error'
}

function refusedByProxy ({ request, statusCode, switches }: EngineResponseError): DockApiError {
  const names = switches.join(' and ')
  const section = request.path.replace(/^\/v[\d.]+/, '').split('/')[1]
  return new DockApiError('feature_disabled', `A socket proxy before the engine refuses ${request.method} on /${section} (${statusCode}): ${names} ${switches.length === 1 ? 'is' : 'may be'} off there.`, {
    hint: `Set ${switches.map((name) => `${name}=1`).join(' ')} for the socket proxy and start it anew, or do without. GET /healthz lists what is off.`,
    details: { switches }
  })
}

function proxyWithoutEngine (error: EngineResponseError): DockApiError {
  return new DockApiError('engine_unavailable', `What answers in the engine's place cannot reach it (${error.statusCode}).`,
    { hint: 'Start Docker behind the socket proxy.', cause: error })
}

/** The engine's own sentence; of a page, only that it was one. */
function sentenceOf ({ json, message, statusCode }: EngineResponseError): string {
  const text = message.trim()
  if (json !== undefined && typeof json.message === 'string') return text.slice(0, MAX_SENTENCE)
  if (text === '' || text.startsWith('<') || text.includes('\n')) return `The engine answered ${statusCode} without a reason.`
  return text.slice(0, MAX_SENTENCE)
}

function isPull ({ operation }: EngineFailure): boolean {
  return operation === 'images.pull'
}
