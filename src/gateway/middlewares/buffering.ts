import { Transform } from 'node:stream'
import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import { DockApiError } from '../../errors.ts'
import type { BodyStep } from '../../forward/changes.ts'
import { UpstreamFailure } from '../../forward/upstream-failure.ts'
import type { Pass } from './passage.ts'

export function createBuffering ({ max_request_body_bytes: maxRequest, max_response_body_bytes: maxResponse }: NonNullable<Definition['buffering']>): Pass {
  return (passage) => {
    const { request } = passage
    if (maxRequest !== undefined) {
      if (Number(request.headers['content-length'] ?? 0) > maxRequest) throw new DockApiError('body_too_large', `The body of the request is larger than the ${maxRequest} bytes that this route allows.`)
      if (request.headers['transfer-encoding'] !== undefined) passage.maxRequestBytes = Math.min(maxRequest, passage.maxRequestBytes ?? Infinity)
    }
    if (maxResponse !== undefined && request.method !== 'HEAD') {
      passage.onAnswer(({ status, framing, steps }) => {
        if (status === 204 || status === 304) return
        if (typeof framing !== 'number') steps.push(createLimit(maxResponse))
        else if (framing > maxResponse) throw tooLarge(maxResponse)
      })
    }
    return true
  }
}

function createLimit (maxBytes: number): BodyStep {
  let length = 0
  const stream = new Transform({
    transform (data: Buffer, _encoding, done) {
      length += data.length
      if (length > maxBytes) done(tooLarge(maxBytes))
      else done(null, data)
    }
  })
  return { stream, flush: undefined }
}

function tooLarge (maxBytes: number): UpstreamFailure {
  return new UpstreamFailure('answer-too-large', `The answer is larger than ${maxBytes} bytes.`)
}
