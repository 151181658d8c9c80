import { STATUS_CODES } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { CatalogueEntry } from '../src/docs/error-page.ts'
import { DockApiError } from '../src/errors.ts'
import type { FieldError } from '../src/errors.ts'
import { ERROR_CODES } from '../src/error-codes.ts'
import type { ErrorCode, ErrorKind } from '../src/error-codes.ts'
import { explainStoreFull, isStoreFull } from '../src/store/store-full.ts'
import type { Problem } from '../schemas/problem.ts'

declare module 'fastify' {
  interface FastifyInstance { errorCatalogue: readonly CatalogueEntry[] }
  interface FastifyRequest {
    /** What the request failed with, also after its status went out. */
    failure: DockApiError | undefined
  }
}

/** The only place where a kind of error becomes an HTTP status (DESIGN section 8). */
const STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'not-acceptable': 406,
  'too-slow': 408,
  conflict: 409,
  gone: 410,
  'too-large': 413,
  unsupported: 415,
  'too-many': 429,
  'header-too-large': 431,
  aborted: 499,
  internal: 500,
  'not-implemented': 426,
  'bad-gateway': 502,
  unavailable: 503,
  timeout: 504,
  loop: 508
}

/** Errors that Fastify itself raises, as ours. */
const FASTIFY_CODES: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_ASYNC_CONSTRAINT: 'invalid_request'
}

/** Every code with the status that it is answered with, for the documentation. */
export const ERROR_CATALOGUE: readonly CatalogueEntry[] = Object.entries(ERROR_CODES).map(([code, { kind, title, hint, retryable = false }]) => (
  { code, status: STATUS[kind], title, hint, isRetryable: retryable }
))

/** The status that an error of this kind is answered with. */
export function statusOf (error: DockApiError): number {
  return STATUS[error.kind]
}

/** The problem document of an error; `instance` is the path without the query, which may hold secrets. */
export function problemOf (error: DockApiError, url: string, requestId: string): Problem {
  const standard = {
    type: `/docs/errors#${error.code}`,
    title: error.title,
    status: statusOf(error),
    detail: error.message,
    error: error.message,
    instance: url.split('?', 1)[0]!,
    code: error.code,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    retryable: error.isRetryable,
    request_id: requestId,
    ...(error.fields.length === 0 ? {} : { errors: error.fields })
  }
  // The standard members come first, and no detail takes the place of one.
  return { ...standard, ...error.details, ...standard }
}

/** The problem document of what failed after the status went out, for the last event of a stream. It is logged like any other. */
export function describeFailure (raw: unknown, request: FastifyRequest): Problem {
  const error = translate(raw as FastifyError, request)
  note(error, raw as Error, request)
  return problemOf(error, request.url, request.id)
}

/** Answers what fails before there is a route, such as a path that is not percent-encoded rightly (`frameworkErrors` of Fastify). */
export function answerFrameworkError (raw: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  return sendProblem(translate(raw, request), request, reply)
}

type ConnectionError = Error & { code?: string }

/** Answers what is no HTTP request at all, and ends the connection: what follows cannot be told apart from it (`clientErrorHandler` of Fastify). */
export function answerClientError (raw: ConnectionError, socket: Socket): void {
  const { _httpMessage: current } = socket as Socket & { _httpMessage?: ServerResponse }
  // In the middle of an earlier answer nothing can be said.
  if (raw.code !== 'ECONNRESET' && socket.writable && current?.headersSent !== true) {
    const error = translateConnectionError(raw)
    const body = JSON.stringify(problemOf(error, '', ''))
    const status = statusOf(error)
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`)
  }
  socket.destroy(raw)
}

async function errors (app: FastifyInstance) {
  app.decorate('errorCatalogue', ERROR_CATALOGUE)
  app.decorateRequest('failure', undefined)
  app.setErrorHandler((raw: FastifyError, request, reply) => {
    const error = translate(raw, request)
    note(error, raw, request)
    return sendProblem(error, request, reply)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]
    return sendProblem(new DockApiError('route_not_found', `There is no route ${request.method} ${path}.`), request, reply)
  })
}

function sendProblem (error: DockApiError, request: FastifyRequest, reply: FastifyReply) {
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', String(error.retryAfterSeconds))
  if (error.kind === 'unauthorized') reply.header('www-authenticate', 'Bearer realm="dockapi"')
  // RFC 9110 section 15.5.22, RFC 6455 section 4.2.2.
  if (error.code === 'websocket_required') reply.headers({ upgrade: 'websocket', connection: 'upgrade, close', 'sec-websocket-version': '13' })
  reply.headers({ 'x-content-type-options': 'nosniff', 'x-request-id': request.id })
  // A status has one serializer for its success media types; a problem is written as it is.
  reply.serializer((body: unknown) => JSON.stringify(body))
  return reply.code(statusOf(error)).type('application/problem+json; charset=utf-8').send(problemOf(error, request.originalUrl, request.id))
}

function translate (raw: FastifyError, request: FastifyRequest): DockApiError {
  if (raw instanceof DockApiError) return raw
  if (raw.validation !== undefined) return translateValidation(raw)
  const code = FASTIFY_CODES[raw.code]
  if (code === 'unsupported_media_type') return new DockApiError(code, describeType(request.headers['content-type']), { cause: raw, ...hintOfTypes(request) })
  // Its own sentence repeats the query, which may hold secrets.
  if (raw.code === 'FST_ERR_BAD_URL') return new DockApiError('invalid_request', 'The path is not percent-encoded rightly.', { cause: raw })
  if (code !== undefined) return new DockApiError(code, raw.message, { cause: raw })
  if (raw instanceof SyntaxError && raw.statusCode === 400) return new DockApiError('invalid_json', `The body is not valid JSON: ${raw.message}.`, { cause: raw })
  if (raw.statusCode !== undefined && raw.statusCode >= 400 && raw.statusCode < 500) {
    return new DockApiError('invalid_request', `${raw.message || STATUS_CODES[raw.statusCode]}`, { cause: raw })
  }
  if (isStoreFull(raw)) return explainStoreFull(raw)
  if (request.raw.destroyed && raw.name === 'AbortError') return new DockApiError('client_gone', 'The client went away.', { cause: raw })
  return new DockApiError('internal_error', 'Something went wrong in the server itself.', { cause: raw })
}

function describeType (type: string | undefined): string {
  return type === undefined ? 'The body has no content type.' : `The API takes no body of the content type "${type}".`
}

/** JSON is what most routes take; the others say so in their schema. */
function hintOfTypes ({ routeOptions }: FastifyRequest): { hint?: string } {
  const { content } = routeOptions.schema?.body as { content?: Record<string, unknown> } | undefined ?? {}
  return content === undefined ? {} : { hint: `Send the header content-type with what the body is: ${Object.keys(content).join(', ')}.` }
}

function translateConnectionError ({ code }: ConnectionError): DockApiError {
  if (code === 'HPE_HEADER_OVERFLOW') return new DockApiError('headers_too_large', 'The headers of the request are too large.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new DockApiError('request_timeout', 'The request did not arrive in time.')
  return new DockApiError('invalid_request', 'This is not a valid HTTP request.')
}

function translateValidation (raw: FastifyError): DockApiError {
  const where = ({ body: 'body', querystring: 'query', params: 'path', headers: 'header' } as const)[raw.validationContext as string] ?? 'body'
  const fields: FieldError[] = raw.validation!.map((item: ValidationItem) => ({ where, pointer: pointerOf(item), message: messageOf(item) }))
  const sentence = fields.map(({ pointer, message }) => `${pointer === '' ? where : pointer.slice(1).replaceAll('/', '.')} ${message}`).join('; ')
  return new DockApiError('invalid_request', `The ${where} is wrong: ${sentence}.`, { fields, cause: raw })
}

type ValidationItem = NonNullable<FastifyError['validation']>[number] & {
  parentSchema?: { description?: string, properties?: Record<string, unknown>, patternProperties?: Record<string, unknown> }
}

function pointerOf (item: ValidationItem): string {
  const extra = item.params.additionalProperty ?? item.params.missingProperty
  return typeof extra === 'string' ? `${item.instancePath}/${extra.replaceAll('~', '~0').replaceAll('/', '~1')}` : item.instancePath
}

function messageOf (item: ValidationItem): string {
  const { keyword, params, parentSchema } = item
  const description = parentSchema?.description === undefined ? '' : ` (${parentSchema.description.replace(/\.$/, '')})`
  if (keyword === 'additionalProperties') return unknownField(String(params.additionalProperty), parentSchema)
  if (keyword === 'required') return 'is required'
  if (keyword === 'enum') return `must be one of ${(params.allowedValues as unknown[]).map(String).join(', ')}`
  if (keyword === 'pattern') return `is not written rightly${description}`
  if (keyword === 'minProperties') return 'must not be empty'
  return `${item.message ?? 'is wrong'}${description}`
}

function unknownField (name: string, schema: ValidationItem['parentSchema']): string {
  if (schema?.patternProperties !== undefined) return `is not a valid name${schema.description === undefined ? '' : ` (${schema.description.replace(/\.$/, '')})`}`
  const plain = (text: string) => text.replaceAll(/[^a-zA-Z0-9]/g, '').toLowerCase()
  const meant = Object.keys(schema?.properties ?? {}).find((known) => plain(known) === plain(name))
  return meant === undefined ? 'is not a known field' : `is not a known field; did you mean ${meant}?`
}

function note (error: DockApiError, raw: Error, request: FastifyRequest) {
  request.failure = error
  if (error.code === 'internal_error') request.log.error({ err: raw }, 'unexpected error')
  else if (statusOf(error) >= 500) request.log.warn({ code: error.code, detail: error.message, err: error.cause }, 'request failed')
  else request.log.info({ code: error.code, detail: error.message }, 'request refused')
}

export default fp(errors, { name: 'errors', fastify: '5.x' })
