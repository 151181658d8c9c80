import type { IncomingHttpHeaders } from 'node:http'
import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib'
import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import type { Answer, BodyStep } from '../../forward/changes.ts'
import { addToList, headerOf, removeHeader, setHeader } from '../../forward/header-list.ts'
import { chooseCoding } from './accept-encoding.ts'
import type { Coding } from './accept-encoding.ts'
import type { Pass } from './passage.ts'

const MIN_BYTES = 1024
/** How far back a repetition is found, as a power of two. A stream may stay open for days, and there may be many: half a megabyte each, not eight. */
const WINDOW_BITS = 18
/** Compressed by themselves. */
const COMPACT = /^(?:image\/(?!svg|bmp|x-icon|vnd\.microsoft\.icon)|video\/|audio\/(?!wav|x-wav)|font\/woff|application\/(?:zip|gzip|x-gzip|zstd|x-7z-compressed|x-rar-compressed|vnd\.rar|x-bzip2|x-xz|pdf|java-archive|vnd\.android))/
/** Streams whose messages are framed by those who read them. */
const NEVER = /^(?:text\/event-stream|application\/grpc)/
/** They tell something about the very bytes. */
const DIGESTS = ['content-digest', 'repr-digest', 'digest', 'content-md5']

export function createCompress (settings: NonNullable<Definition['compress']>): Pass {
  const { encodings = ['zstd', 'br', 'gzip'], default_encoding: fallback, min_response_body_bytes: minBytes = MIN_BYTES } = settings
  const excluded = settings.excluded_content_types?.map(mediaType)
  const included = settings.included_content_types?.map(mediaType)

  function isWanted (type: string): boolean {
    if (NEVER.test(type)) return false
    if (included !== undefined) return included.includes(type)
    return type !== '' && !COMPACT.test(type) && excluded?.includes(type) !== true
  }

  return (passage) => {
    const { method, headers } = passage.request
    if (method === 'HEAD' || headers.range !== undefined) return true
    passage.onAnswer((answer) => {
      if (!isCompressible(answer, minBytes) || !isWanted(mediaType(headerOf(answer.headers, 'content-type') ?? ''))) return
      addToList(answer.headers, 'Vary', 'Accept-Encoding')
      const coding = chooseCoding(acceptEncodingOf(headers), encodings, fallback)
      if (coding !== undefined) encode(answer, coding)
    })
    return true
  }
}

function isCompressible ({ status, headers, framing, replacement }: Answer, minBytes: number): boolean {
  if (status < 200 || status === 204 || status === 205 || status === 206 || status === 304 || replacement !== undefined) return false
  if (typeof framing === 'number' && (framing === 0 || framing < minBytes)) return false
  if ((headerOf(headers, 'content-encoding') ?? 'identity').toLowerCase() !== 'identity' || headerOf(headers, 'content-range') !== undefined) return false
  return !/\bno-transform\b/i.test(headerOf(headers, 'cache-control') ?? '') && DIGESTS.every((name) => headerOf(headers, name) === undefined)
}

function encode ({ headers, steps }: Answer, coding: Coding) {
  setHeader(headers, 'Content-Encoding', coding)
  removeHeader(headers, 'Accept-Ranges')
  const tag = headerOf(headers, 'etag')
  // Other bytes of the same meaning (RFC 9110 8.8.1).
  if (tag?.startsWith('"')) setHeader(headers, 'ETag', `W/${tag}`)
  steps.push(createEncoder(coding))
}

function createEncoder (coding: Coding): BodyStep {
  if (coding === 'br') {
    const stream = createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS } })
    return { stream, flush: () => { stream.flush(constants.BROTLI_OPERATION_FLUSH) } }
  }
  if (coding === 'zstd') {
    const stream = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_windowLog]: WINDOW_BITS } })
    return { stream, flush: () => { stream.flush(constants.ZSTD_e_flush) } }
  }
  const stream = createGzip()
  return { stream, flush: () => { stream.flush(constants.Z_SYNC_FLUSH) } }
}

function mediaType (type: string): string {
  return type.split(';', 1)[0]!.trim().toLowerCase()
}

function acceptEncodingOf (headers: IncomingHttpHeaders): string | undefined {
  const header = headers['accept-encoding']
  return Array.isArray(header) ? header.join(',') : header
}
