import { STATUS_CODES } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Mount } from './mount.ts'
import type { ResponseHead } from './response-head.ts'
import { responseHeaders } from './response-headers.ts'

/** Passes on an interim answer, such as 103 Early Hints (RFC 8297), to a client that knows them: not to HTTP/1.0 (RFC 9110 15.2). */
export function writeInterim (response: ServerResponse, head: ResponseHead, mount: Mount) {
  if (response.req.httpVersion !== '1.1' || response.headersSent || response.socket === null) return
  response.socket.write(serialize(head, responseHeaders(head, mount)), 'latin1')
}

/** Answers an upgrade with the upstream's own 101. */
export function writeSwitch (client: Socket, head: ResponseHead, mount: Mount) {
  const headers = ['Connection', 'Upgrade', 'Upgrade', upgradeOf(head)!, ...responseHeaders(head, mount)]
  client.write(serialize(head, headers), 'latin1')
}

/** Whether a 101 names a protocol that was asked for (RFC 9110 7.8). */
export function hasSwitched (head: ResponseHead, asked: string | undefined): boolean {
  const protocols = split(asked)
  const chosen = split(upgradeOf(head))
  return chosen.length > 0 && chosen.every((protocol) => protocols.includes(protocol))
}

function upgradeOf ({ headers }: ResponseHead): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]!.toLowerCase() === 'upgrade') return headers[index + 1]
  }
  return undefined
}

function split (protocols: string | undefined): string[] {
  return (protocols ?? '').toLowerCase().split(',').map((protocol) => protocol.trim()).filter((protocol) => protocol !== '')
}

function serialize ({ status, reason }: ResponseHead, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${reason || STATUS_CODES[status] || ''}\r\n`
  for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`
  return `${text}\r\n`
}
