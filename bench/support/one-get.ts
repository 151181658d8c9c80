import { request as sendRequest } from 'node:http'
import type { Agent } from 'node:http'

/** One GET on 127.0.0.1; a connection that fails is status 0. */
export function oneGet (port: number, host: string, agent?: Agent): Promise<{ status: number, body: string }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number, body: string }>()
  const failed = () => { resolve({ status: 0, body: '' }) }
  sendRequest({ host: '127.0.0.1', port, headers: { host }, ...(agent === undefined ? {} : { agent }) }, (answer) => {
    let body = ''
    answer.on('data', (chunk: Buffer) => { body += String(chunk) }).on('end', () => { resolve({ status: answer.statusCode!, body: body.trim() }) }).on('error', failed)
  }).on('error', failed).end()
  return promise
}
