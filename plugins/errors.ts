import { STATUS_CODES } from 'node:http'
import fp from 'fastify-plugin'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DockApiError } from '../src/errors.ts'
import type { FieldError } from '../src/errors.ts'
import type { ErrorCode, ErrorKind } from '../src/error-codes.ts'
import type { Problem } from '../schemas/problem.ts'

/** The only place where a kind of error becomes an HTTP status (DESIGN section 8). */
const STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'request-timeout': 408,
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
  FST_ERR_BAD_URL: 'invalid_request',
  FST_ERR_ASYNC_CONSTRAINT: 'invalid_request'
}

/** The status that an error of this kind is answered with. */
export function statusOf (error: DockApiError): number {
  return STATUS[error.kind]
}

/** The problem document of an error; `instance` is the path without the query, which may hold secrets. */
export function problemOf (error: DockApiError, url: string, requestId: string): Problem {
  return {
    ...error.details,
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
}

async function errors (app: FastifyInstance) {
  app.setErrorHandler((raw: FastifyError, request, reply) => {
    const error = translate(raw, request)
    log(error, raw, request)
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
  // A status has one serializer for its success media types; a problem is written as it is.
  reply.serializer((body: unknown) => JSON.stringify(body))
  return reply.code(statusOf(error)).type('application/problem+json; charset=utf-8').send(problemOf(error, request.originalUrl, request.id))
}

function translate (raw: FastifyError, request: FastifyRequest): DockApiError {
  if (raw instanceof DockApiError) return raw
  if (raw.validation !== undefined) return translateValidation(raw)
  const code = FASTIFY_CODES[raw.code]
  if (code !== undefined) return new DockApiError(code, raw.message, { cause: raw })
  if (raw instanceof SyntaxError && raw.statusCode === 400) return new DockApiError('invalid_json', `The body is not valid JSON: ${raw.message}.`, { cause: raw })
  if (raw.statusCode !== undefined && raw.statusCode >= 400 && raw.statusCode < 500) {
    return new DockApiError('invalid_request', `${raw.message || STATUS_CODES[raw.statusCode]}`, { cause: raw })
  }
  if (request.raw.destroyed && raw.name === 'AbortError') return new DockApiError('client_gone', 'The client went away.', { cause: raw })
  return new DockApiError('internal_error', 'Something went wrong in the server itself.', { cause: raw })
}

function translateValidation (raw: FastifyError): DockApiError {
  const where = ({ body: 'body', querystring: 'query', params: 'path', headers: 'header' } as const)[raw.validationContext as string] ?? 'body'
  const fields: FieldError[] = raw.validation!.map((item) => ({ where, pointer: pointerOf(item), message: messageOf(item) }))
  const sentence = fields.map(({ pointer, message }) => `${pointer === '' ? where : pointer.slice(1).replaceAll('/', '.')} ${message}`).join('; ')
  return new DockApiError('invalid_request', `The ${where} is wrong: ${sentence}.`, { fields, cause: raw })
}

type ValidationItem = NonNullable<FastifyError['validation']>[number]

function pointerOf (item: ValidationItem): string {
  const extra = item.params.additionalProperty ?? item.params.missingProperty
  return typeof extra === 'string' ? `${item.instancePath}/${extra.replaceAll('~', '~0').replaceAll('/', '~1')}` : item.instancePath
}

function messageOf (item: ValidationItem): string {
  if (item.keyword === 'additionalProperties') return 'is not a known field'
  if (item.keyword === 'required') return 'is required'
  if (item.keyword === 'enum') return `must be one of ${(item.params.allowedValues as unknown[]).map(String).join(', ')}`
  return item.message ?? 'is wrong'
}

function log (error: DockApiError, raw: Error, request: FastifyRequest) {
  if (error.code === 'internal_error') request.log.error({ err: raw }, 'unexpected error')
  else if (statusOf(error) >= 500) request.log.warn({ code: error.code, detail: error.message, err: error.cause }, 'request failed')
  else request.log.info({ code: error.code, detail: error.message }, 'request refused')
}

export default fp(errors, { name: 'errors', fastify: '5.x' })
