import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { PullProgress } from '../../schemas/images.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createTestEngine } from '../support/engine.ts'
import { publishRandomImage } from '../support/published-image.ts'
import { registryMissing, startRegistry } from '../support/registry.ts'
import { startSlowRegistry } from '../support/slow-registry.ts'
import { openSocket, refusedSocket } from '../support/socket-client.ts'
import { until } from '../support/until.ts'

type Event = { event: string } & Record<string, unknown>

/** The password is "secret" (bcrypt, the only kind that the registry reads). */
const HTPASSWD = 'user:$2b$05$lfkNSQT.5.quo47g.dML0Oqfyq0SjM/C45PMIm7ef7yOIowAm4WnW\n'
const LAYER_BYTES = 3 * 1024 ** 2
const skip = registryMissing ?? false

const engine = createTestEngine(t)
const { url } = await listenTestApp(t)
const api = createClient(url)

async function publish (registry: string, name = registry, auth = { username: '', password: '' }): Promise<string> {
  return await publishRandomImage(engine, registry, { layerBytes: LAYER_BYTES, name, auth })
}

async function pullAs (type: string, image: string, signal?: AbortSignal): Promise<Response> {
  return await fetch(`${url}/images/pull`, { method: 'POST', headers: { 'content-type': 'application/json', accept: type }, body: JSON.stringify({ image }), ...(signal && { signal }) })
}

function eventsOf (body: string): Event[] {
  return body.trim().split('\n').map((line) => JSON.parse(line) as Event)
}

t.test('the progress adds up to the byte, and done has the result', { skip }, async (t) => {
  const { host } = await startRegistry(t)
  const image = await publish(host)
  const response = await pullAs('application/x-ndjson', image)
  t.match({ status: response.status, type: response.headers.get('content-type') }, { status: 200, type: /^application\/x-ndjson/ })
  const events = eventsOf(await response.text())
  const last = events.pop()
  t.match(last, { event: 'done', image, id: /^sha256:/, status: 'downloaded' })
  t.ok(events.every(({ event }) => event === 'progress'))
  const { downloaded_bytes: bytes, total_bytes: total, layers, layers_done: done } = events.at(-1)! as unknown as PullProgress
  t.ok(total! > LAYER_BYTES && total! < LAYER_BYTES * 1.1, `${total} bytes of random data, compressed`)
  t.same({ bytes, layers, done }, { bytes: total, layers: 1, done: 1 })
})

t.test('over a WebSocket: progress, the result and a close code; refused before the switch when the name is none', { skip }, async (t) => {
  const { host } = await startRegistry(t)
  const image = await publish(host)
  const { rest, closed } = await openSocket(t, `${url}/images/pull?image=${image}`)
  const events = await rest()
  t.match(events[0], { event: 'progress', layers: Number })
  t.match(events.slice(-2), [{ event: 'done', image, status: 'downloaded' }, { event: 'end', reason: 'complete' }])
  t.match(await closed(), { code: 1000 })
  const missing = await openSocket(t, `${url}/images/pull?image=${host}/team/none`)
  t.match((await missing.rest()).slice(-2), [{ event: 'error', code: 'image_not_found' }, { event: 'end', reason: 'failed' }])
  t.match(await refusedSocket(t, `${url}/images/pull?image=${'a'.repeat(64)}`), { status: 400, body: { errors: [{ where: 'query', pointer: '/image' }] } })
  t.match(await refusedSocket(t, `${url}/images/pull`), { status: 400 })
})

t.test('server-sent events carry the same, and end with an error as a problem', { skip }, async (t) => {
  const { host } = await startRegistry(t)
  const image = await publish(host)
  const body = await (await pullAs('text/event-stream', image)).text()
  t.match(body, /^event: progress\ndata: \{.*\}\n\n/)
  t.match(body, /\n\nevent: done\ndata: \{"id":"sha256:[0-9a-f]{64}","image":"[^"]+","status":"downloaded"\}\n\n$/)
  const missing = await pullAs('text/event-stream', `${host}/nothing:1`)
  t.equal(missing.status, 200)
  const [, data] = /^event: error\ndata: (.*)\n\n$/.exec(await missing.text()) ?? []
  t.match(JSON.parse(data!), { code: 'image_not_found', status: 400, instance: '/images/pull' })
  t.equal((await pullAs('text/event-stream', 'Wrong')).status, 400, 'what is wrong with the request is said before the stream begins')
})

t.test('ten pulls at once are one engine pull; who leaves disturbs nobody', { skip }, async (t) => {
  const { host } = await startRegistry(t)
  const slow = await startSlowRegistry(t, host)
  const image = await publish(host, slow.host)
  const alone = await publish(host, slow.host)
  const single = api.post('/images/pull', { image: alone })
  await until(() => slow.held === 1)
  const perPull = slow.manifests

  const leaving = new AbortController()
  const left = pullAs('application/x-ndjson', image, leaving.signal).then((response) => response.text())
  left.catch(() => {})
  await until(() => slow.held === 2)
  const staying = Array.from({ length: 9 }, (_, index) => index % 2 === 0 ? api.post('/images/pull', { image }) : pullAs('application/x-ndjson', image))
  await until(async () => (await (await pullAs('application/x-ndjson', image)).body!.getReader().read()).value !== undefined)
  leaving.abort()
  await t.rejects(left)
  slow.release()
  for (const answer of await Promise.all(staying)) {
    if (answer instanceof Response) t.match(eventsOf(await answer.text()).at(-1), { event: 'done' })
    else t.match(answer, { status: 200, body: { status: 'downloaded' } })
  }
  t.equal((await single).status, 200)
  t.equal(slow.manifests, 2 * perPull)
})

t.test('the last caller to leave cancels the download', { skip }, async (t) => {
  const { host } = await startRegistry(t)
  const slow = await startSlowRegistry(t, host)
  const image = await publish(host, slow.host)
  const leaving = new AbortController()
  const callers = [pullAs('application/json', image, leaving.signal), pullAs('application/json', image, leaving.signal)]
  await until(() => slow.held === 1)
  leaving.abort()
  for (const caller of callers) await t.rejects(caller)
  await until(() => slow.held === 0)
  t.match((await api.get(`/images?reference=${image}`)).body, [])
})

t.test('credentials of docker login are used, and run pulls with them too', { skip }, async (t) => {
  const { host } = await startRegistry(t, { htpasswd: HTPASSWD })
  const image = await publish(host, host, { username: 'user', password: 'secret' })
  const folder = await mkdtemp(join(tmpdir(), 'dockapi-config-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [host]: { auth: Buffer.from('user:secret').toString('base64') } } }))
  t.match(await api.run({ image, container_port: 80 }), { status: 400, body: { code: 'registry_auth' } })
  const { url } = await listenTestApp(t, { DOCKER_CONFIG: folder })
  const client = createClient(url)
  // The image has no program: it is there when the engine says so.
  t.match(await client.run({ image, container_port: 80, command: 'none' }), { status: 400, body: { code: 'invalid_command' } })
  t.match(await client.post('/images/pull', { image }), { status: 200, body: { status: 'up_to_date' } })
})

t.end()
