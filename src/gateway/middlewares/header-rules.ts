import { invalidField } from '../../errors.ts'

/** They frame a message or belong to one hop (RFC 9110 7.6.1): the servers on both sides set them. */
const RESERVED = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'content-length', 'upgrade', 'http2-settings', 'expect', 'via'
])
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const HOST = /^[A-Za-z0-9._~[\]:-]+$/

export function isReserved (name: string): boolean {
  return RESERVED.has(name.toLowerCase().replaceAll('_', '-'))
}

/** @throws DockApiError `invalid_request` for a header that a middleware may not set, or that no header can say. */
export function checkRequestHeader (name: string, value: string, pointer: string) {
  checkHeader(name, value, pointer)
  if (name.toLowerCase() === 'host' && !HOST.test(value)) throw invalidField('body', pointer, 'must be a host name, with a port or without; it cannot be removed')
}

/** @throws DockApiError `invalid_request`. */
export function checkResponseHeader (name: string, value: string, pointer: string) {
  checkHeader(name, value, pointer)
  if (name.toLowerCase() === 'host') throw invalidField('body', pointer, 'is a header of requests')
}

function checkHeader (name: string, value: string, pointer: string) {
  if (isReserved(name)) throw invalidField('body', pointer, 'frames the message or belongs to one connection, and is not for middlewares to set')
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) throw invalidField('body', pointer, 'is no name of a header')
  if (!VALUE.test(value)) throw invalidField('body', pointer, 'has a character that no header can carry')
}
