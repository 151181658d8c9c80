import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { ImageDetail, ImageStep, PruneResult, RemovedImages } from '../../schemas/images.ts'
import { buildImage, importImage } from '../../scripts/images.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, TEST_LABEL, TEST_LABELS, TEST_RUN } from '../support/engine.ts'

const engine = createTestEngine(t)
const base = await busyboxImage(engine)
const { url } = await listenTestApp(t)
const api = createClient(url)

const query = (image: string) => `image=${encodeURIComponent(image)}`

/** An image of its own bytes, whose name has a port and slashes. */
async function makeImage (changes: string[] = []): Promise<string> {
  const name = `registry.test:5000/team/made-${randomUUID().slice(0, 8)}:1`
  await importImage(engine, name, [{ path: 'unique', content: name.repeat(100) }], [`LABEL ${TEST_LABEL}=${TEST_RUN}`, ...changes])
  return name
}

async function idOf (name: string): Promise<string> {
  return (await api.get<ImageDetail>(`/images/inspect?${query(name)}`)).body.id
}

t.test('inspect tells what an image is and what it does, by name, id and part of an id; values of variables are not shown', async (t) => {
  const name = await makeImage(['EXPOSE 80', 'CMD ["serve", "it"]', 'ENTRYPOINT ["/run"]', 'ENV SECRET=canary-19', 'WORKDIR /app', 'USER me', 'VOLUME /data'])
  const { status, body } = await api.get<ImageDetail>(`/images/inspect?${query(name)}`)
  t.match({ status, body }, {
    status: 200,
    body: { repo_tags: [name], layers: 1, ports: ['80/tcp'], command: ['serve', 'it'], entrypoint: ['/run'], workdir: '/app', user: 'me', volumes: ['/data'], labels: { [TEST_LABEL]: TEST_RUN }, digest: null }
  })
  t.ok(body.env.includes('SECRET'))
  t.notMatch(JSON.stringify(body), /canary-19/)
  for (const id of [body.id, body.id.slice('sha256:'.length, 20)]) t.equal(await idOf(id), body.id)
  const history = await api.get<ImageStep[]>(`/images/history?${query(name)}`)
  t.match(history, { status: 200, body: [{ id: body.id, tags: [name], size: Number, created: /^\d{4}-/ }] })
})

t.test('an image that is not there is 404 everywhere, and nonsense is 400', async (t) => {
  for (const [method, path, body] of [
    ['GET', '/images/inspect?image=none%3A1'], ['GET', '/images/history?image=none%3A1'], ['DELETE', '/images?image=none%3A1'],
    ['POST', '/images/tag', { image: 'none:1', name: 'other:1' }], ['GET', `/images/inspect?image=sha256%3A${'a'.repeat(64)}`]
  ] as const) t.match(await api.call(method, path, body), { status: 404, body: { code: 'no_such_image' } }, path)
  for (const wrong of ['Nginx', 'a b', '../containers/json', 'a?b', 'a%2Fb', '']) {
    t.match(await api.get(`/images/inspect?${query(wrong)}`), { status: 400, body: { errors: [{ where: 'query', pointer: '/image' }] } }, wrong)
  }
  t.match(await api.delete('/images'), { status: 400, body: { errors: [{ pointer: '/image' }] } })
})

t.test('a tag is one more name; removing a name leaves the other', async (t) => {
  const name = await makeImage()
  const id = await idOf(name)
  const other = `localhost:5000/made-${randomUUID().slice(0, 8)}`
  t.match(await api.post('/images/tag', { image: name, name: other }), { status: 200, body: { id, image: `${other}:latest` } })
  t.match(await api.delete(`/images?${query(id)}`), { status: 409, body: { code: 'engine_conflict' } })
  t.same((await api.delete<RemovedImages>(`/images?${query(name)}`)).body, { untagged: [name], deleted: [] })
  t.match(await api.delete(`/images?${query(other)}`), { status: 200, body: { untagged: [`${other}:latest`], deleted: [id] } })
  for (const wrong of ['Upper:1', `a@sha256:${'a'.repeat(64)}`, 'a:b:c']) {
    t.match(await api.post('/images/tag', { image: base, name: wrong }), { status: 400, body: { errors: [{ pointer: '/name' }] } }, wrong)
  }
})

t.test('an image in use is 409; force takes it from a stopped container, never from a running one', async (t) => {
  const name = `made-${randomUUID().slice(0, 8)}:1`
  await buildImage(engine, name, [{ path: 'Dockerfile', content: `FROM ${base}\nLABEL own=${name}\n` }], { labels: TEST_LABELS })
  const { body: { id } } = await api.run<{ id: string }>({ image: name, container_port: 80, command: 'sleep 600', init: true })
  t.match(await api.delete(`/images?${query(await idOf(name))}`), { status: 409 })
  t.match(await api.delete(`/images?${query(name)}`), { status: 409, body: { code: 'image_in_use' } })
  await api.post(`/containers/${id}/stop?timeout=0`)
  t.match(await api.delete(`/images?${query(name)}`), { status: 409, body: { code: 'image_in_use' } })
  t.match(await api.delete(`/images?${query(name)}&force=true`), { status: 200, body: { untagged: [name] } })
})

t.test('prune removes what its dry run named', async (t) => {
  const label = `dockapi-prune=${randomUUID()}`
  const [named, nameless] = [await makeImage([`LABEL ${label}`]), await makeImage([`LABEL ${label}`])]
  const [namedId, namelessId] = [await idOf(named), await idOf(nameless)]
  // Its name moves to another image.
  await api.post('/images/tag', { image: base, name: nameless })
  t.teardown(() => api.delete(`/images?${query(nameless)}`))
  const prune = async (body: object) => (await api.post<PruneResult>('/images/prune', { label: [label], ...body })).body
  const dry = await prune({ dry_run: true })
  t.match(dry, { dry_run: true, untagged: [], deleted: [namelessId] })
  t.ok(dry.bytes > 0)
  t.match(await prune({}), { dry_run: false, deleted: [namelessId], bytes: dry.bytes })
  t.match(await prune({ dry_run: true }), { deleted: [], bytes: 0 })
  t.match(await prune({ dry_run: true, all: true }), { untagged: [named], deleted: [namedId] })
  t.match(await prune({ all: true }), { untagged: [named], deleted: [namedId] })
})

t.end()
