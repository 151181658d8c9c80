import type { FastifyRequest } from 'fastify'

/** The origin under which the caller reached this API: its links begin with it. The guard has checked the Host. */
export function baseUrlOf (request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`
}
