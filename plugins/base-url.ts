import type { FastifyRequest } from 'fastify'

/** The origin under which the caller reached this API: its links begin with it. The guard has checked the Host. */
export function baseUrlOf (request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`
}

/** Where a list goes on: the same request with a cursor. */
export function nextPageOf (baseUrl: string, url: string, cursor: string): string {
  const next = new URL(url, baseUrl)
  next.searchParams.set('cursor', cursor)
  return next.href
}
