import { randomBytes, randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { importImage } from '../../scripts/images.ts'
import type { LoadResult } from '../../schemas/images.ts'
import type { Problem } from '../../schemas/problem.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createChaosSocket } from '../support/chaos-socket.ts'
import { createTestEngine, TEST_LABEL, TEST_RUN } from '../support/engine.ts'

const MAX_UPLOAD = 4 * 1024 ** 2

const engine = createTestEngine(t)
const { url } = await listenTestApp(t, { DOCKAPI_MAX_UPLOAD: String(MAX_UPLOAD) })
const api = createClient(url)

async function makeImage (bytes = 100_000): Promise<{ name: string, id: string }> {
  const name = `saved-${randomUUID().slice(0, 8)}:1`
  await importImage(engine, name, [{ path: 'random', content: randomBytes(bytes) }], [`LABEL ${TEST_LABEL}=${TEST_RUN}`])
  return { name, id: (await api.get<{ id: string }>(`/images/inspect?image=${name}`)).body.id }
}

async function save (...images: string[]): Promise<Response> {
  return await fetch(`${url}/images/save?${images.map((image) => `image=${encodeURIComponent(image)}`).join('&')}`)
}

async function saved (...images: string[]): Promise<Buffer> {
  return Buffer.from(await (await save(...images)).arrayBuffer())
}

async function load (body: Buffer, { type = 'application/x-tar', accept = '*/*' } = {}): Promise<Response> {
  return await fetch(`${url}/images/load`, { method: 'POST', headers: { 'content-type': type, accept }, body })
}

async function loadJson (body: Buffer, type?: string) {
  const response = await load(body, type === undefined ? {} : { type })
  return { status: response.status, body: await response.json() as LoadResult & Problem }
}

t.test('images that were saved are loaded again, with their ids and names', async (t) => {
  const [one, other] = [await makeImage(), await makeImage()]
  const response = await save(one.name, other.name)
  t.match(Object.fromEntries(response.headers), { 'content-type': 'application/x-tar', 'content-disposition': 'attachment; filename="images.tar"' })
  const archive = Buffer.from(await response.arrayBuffer())
  for (const { name } of [one, other]) t.equal((await api.delete(`/images?image=${name}`)).status, 200)
  const { status, body } = await loadJson(archive)
  t.equal(status, 200)
  t.same(new Set(body.images.map(({ id, image }) => `${image} ${id}`)), new Set([one, other].map(({ id, name }) => `${name} ${id}`)))
  t.equal((await api.get(`/images/inspect?image=${other.name}`)).status, 200)

  t.match(await loadJson(gzipSync(archive), 'application/gzip'), { status: 200, body: { images: [{}, {}] } })
  const byId = await saved(one.id)
  await api.delete(`/images?image=${one.name}`)
  t.same((await loadJson(byId)).body, { images: [{ id: one.id, image: null }] })
  const head = await fetch(`${url}/images/save?image=${other.name}`, { method: 'HEAD' })
  t.match({ status: head.status, name: head.headers.get('content-disposition') }, { status: 200, name: `attachment; filename="${other.name.replace(':', '-')}.tar"` })
})

t.test('the progress of a load ends with the result', async (t) => {
  const { name, id } = await makeImage(500_000)
  const archive = await saved(name)
  await api.delete(`/images?image=${name}`)
  const text = await (await load(archive, { accept: 'application/x-ndjson' })).text()
  const events = text.trim().split('\n').map((line) => JSON.parse(line) as { event: string, current: number, total: number })
  t.same(events.pop(), { event: 'done', images: [{ id, image: name }] })
  t.ok(events.length > 0 && events.every(({ event, current, total }) => event === 'progress' && current <= total))
})

t.test('what holds no images is refused, in every form', async (t) => {
  const { name } = await makeImage()
  const archive = await saved(name)
  for (const [what, body, code] of [
    ['text', Buffer.from('hello '.repeat(200)), 'invalid_request'], ['nothing', Buffer.alloc(0), 'invalid_request'], ['another tar', (await saved(name)).subarray(0, 512 * 3), 'load_failed'], ['half an archive', archive.subarray(0, archive.length - 60_000), 'load_failed']
  ] as const) {
    const answer = await loadJson(body)
    t.match(answer, { status: 400, body: { code } }, what)
    t.notMatch(answer.body.detail, /docker-import/, what)
  }
  const last = (await (await load(Buffer.from('hello '.repeat(200)), { accept: 'application/x-ndjson' })).text()).trim()
  t.match(JSON.parse(last), { event: 'error', code: 'invalid_request', status: 400 })
  t.equal((await loadJson(Buffer.from('{}'), 'application/json')).status, 415)
  t.equal((await load(archive, { accept: 'image/png' })).status, 406)
})

t.test('S27: an archive is bounded as it is unpacked', async (t) => {
  const large = await makeImage(MAX_UPLOAD)
  t.match(await loadJson(await saved(large.name)), { status: 413, body: { code: 'body_too_large' } })
  const tar = await saved((await makeImage()).name)
  const bomb = gzipSync(Buffer.concat([tar.subarray(0, -1024), Buffer.alloc(64 * 1024 ** 2)]))
  t.ok(bomb.length < MAX_UPLOAD)
  t.match(await loadJson(bomb, 'application/gzip'), { status: 413, body: { code: 'body_too_large' } })
})

t.test('what cannot be saved is told before the first byte', async (t) => {
  const { name } = await makeImage()
  const response = await save(name, 'nothing:here')
  t.match({ status: response.status, body: await response.json() }, { status: 404, body: { code: 'no_such_image' } })
  t.equal((await save('Wrong')).status, 400)
  t.equal((await fetch(`${url}/images/save`)).status, 400)
})

t.test('a disk that is full is told as such, by a pull, a load and a build', async (t) => {
  const chaos = await createChaosSocket(t)
  const { url } = await listenTestApp(t, { DOCKER_HOST: chaos.host })
  const sentence = 'write /var/lib/docker/tmp/GetImageBlob1: no space left on device'
  const body = `${JSON.stringify({ errorDetail: { message: sentence }, error: sentence })}\n`
  chaos.rule('POST /images/create', { kind: 'answer', status: 200, body })
  chaos.rule('POST /images/load', { kind: 'answer', status: 200, body })
  chaos.rule('POST /build', { kind: 'answer', status: 200, body: `${JSON.stringify({ stream: 'Step 2/2 : COPY . /app\n' })}\n${body}` })
  t.match(await createClient(url).post('/images/pull', { image: 'nginx' }), { status: 500, body: { code: 'disk_full', detail: /no space left/ } })
  t.match(await createClient(url).post('/images/build', { dockerfile: 'FROM scratch\nCOPY . /app\n' }), { status: 500, body: { code: 'disk_full', detail: /no space left/, hint: /prune/, step: /COPY/ } })
  const archive = await saved((await makeImage()).name)
  const response = await fetch(`${url}/images/load`, { method: 'POST', headers: { 'content-type': 'application/x-tar' }, body: archive })
  t.match({ status: response.status, body: await response.json() }, { status: 500, body: { code: 'disk_full' } })
})

t.end()
