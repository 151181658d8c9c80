import { Agent, request as sendRequest } from 'node:http'
import { json } from 'node:stream/consumers'
import t from 'tap'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, startTestContainer } from '../support/engine.ts'

const MAX_UPLOAD = 1024 ** 2
const TAR = 'application/x-tar'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { url } = await listenTestApp(t, { DOCKAPI_MAX_UPLOAD: String(MAX_UPLOAD), DOCKAPI_SCOPE: 'all' })
const { id } = await startTestContainer(engine, { image, command: ['sleep', '600'] })

const FILES = `/containers/${id}/files?path=/tmp`
/** Method, path, type, and what the body is refused with. */
const UPLOADS = [
  ['PUT', `${FILES}/x`, 'application/octet-stream', 'body_too_large'],
  ['PUT', `${FILES}/none/x`, 'application/octet-stream', 'path_not_found'],
  ['PUT', FILES, TAR, 'invalid_request'],
  ['POST', '/images/load', TAR, 'invalid_request'],
  ['POST', '/images/build', TAR, 'invalid_request']
] as const

for (const [method, path, type, code] of UPLOADS) {
  t.test(`the connection of an upload that is refused goes on: ${code} of ${method} ${path.replace(id, 'id')}`, async (t) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.after(() => { agent.destroy() })
    t.match(await send(agent, method, path, type, Buffer.alloc(2 * MAX_UPLOAD, 'no tar')), { code })
    t.match(await send(agent, 'GET', `/containers/${id}`), { id })
  })
}

async function send (agent: Agent, method: string, path: string, type?: string, body?: Buffer): Promise<Record<string, unknown>> {
  return await new Promise((resolve, reject) => {
    const headers = { ...(type === undefined ? {} : { 'content-type': type }), ...(body === undefined ? {} : { 'content-length': body.length }) }
    sendRequest(url + path, { agent, method, headers }, (response) => { json(response).then((answer) => { resolve(answer as Record<string, unknown>) }, reject) }).once('error', reject).end(body)
  })
}

t.end()
