import { randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import t from 'tap'
import type { ImageInfo } from '../../schemas/images.ts'
import type { Problem } from '../../schemas/problem.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine } from '../support/engine.ts'
import { registryMissing, startRegistry } from '../support/registry.ts'

/** The password is "secret" (bcrypt, the only kind that the registry reads). */
const HTPASSWD = 'user:$2b$05$lfkNSQT.5.quo47g.dML0Oqfyq0SjM/C45PMIm7ef7yOIowAm4WnW\n'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { url } = await listenTestApp(t)
const api = createClient(url)

/** Puts an image with one layer of its own into a registry and takes it from the engine again. */
async function publish (engine: Engine, host: string, auth?: { username: string, password: string }): Promise<string> {
  const repo = `${host}/team/app-${randomUUID().slice(0, 8)}`
  await engine.call('test.publish', async (docker, abortSignal) => {
    await docker.getImage(image).tag({ repo, tag: '1', abortSignal })
    const stream = await docker.getImage(`${repo}`).push({ tag: '1', authconfig: { username: '', password: '', ...auth, serveraddress: host }, abortSignal })
    const output = await text(stream)
    if (output.includes('errorDetail')) throw new Error(output)
    await docker.getImage(`${repo}:1`).remove({ abortSignal })
  }, { timeoutMs: 60_000 })
  return `${repo}:1`
}

async function forget (reference: string) {
  await engine.call('test.forget', (docker, abortSignal) => docker.getImage(reference).remove({ abortSignal })).catch(() => {})
}

t.test('images are a bare array with the contract\'s members', async (t) => {
  const { status, body } = await api.get<ImageInfo[]>('/images')
  t.equal(status, 200)
  const mine = body.find(({ repo_tags: tags }) => tags.includes(image))!
  t.match(mine, { id: /^sha256:[0-9a-f]{64}$/, size: Number, created: /^\d{4}-/, digest: null })
  t.equal((await api.get<ImageInfo[]>(`/images?reference=${encodeURIComponent(image)}`)).body.length, 1)
  t.ok((await api.get<ImageInfo[]>('/images?dangling=true')).body.every(({ repo_tags: tags }) => tags.length === 0))
  t.equal((await api.get('/images?dangling=perhaps')).status, 400)
})

t.test('pull downloads, and says when nothing was new', { skip: registryMissing ?? false }, async (t) => {
  const { host } = await startRegistry(t)
  const reference = await publish(engine, host)
  t.after(() => forget(reference))
  const { status, body } = await api.post('/images/pull', { image: reference })
  t.match({ status, body }, { status: 200, body: { image: reference, id: /^sha256:/, status: 'downloaded' } })
  t.match((await api.post('/images/pull', { image: reference })).body, { status: 'up_to_date' })
})

t.test('run pulls what is missing', { skip: registryMissing ?? false }, async (t) => {
  const { host } = await startRegistry(t)
  const reference = await publish(engine, host)
  t.after(() => forget(reference))
  t.match(await api.run({ image: reference, container_port: 80, pull: 'never' }), { status: 400, body: { code: 'image_not_local' } })
  const { status, body } = await api.run({ image: reference, detach: false, command: 'echo pulled' })
  t.match({ status, body }, { status: 201, body: { image: reference, stdout: 'pulled\n' } })
})

t.test('a private registry wants credentials, and they are shown to nobody', { skip: registryMissing ?? false }, async (t) => {
  const { host } = await startRegistry(t, { htpasswd: HTPASSWD })
  const auth = { username: 'user', password: 'secret' }
  const reference = await publish(engine, host, auth)
  t.after(() => forget(reference))
  t.match(await api.post('/images/pull', { image: reference }), { status: 400, body: { code: 'registry_auth' } })
  const wrong = await api.post<Problem>('/images/pull', { image: reference, auth: { username: 'user', password: 'canary-51bd' } })
  t.match(wrong, { status: 400, body: { code: 'registry_auth' } })
  t.notMatch(JSON.stringify(wrong.body), /canary-51bd/)
  t.equal((await api.post('/images/pull', { image: reference, auth })).status, 200)
})

t.test('what cannot be pulled says why', async (t) => {
  if (registryMissing === undefined) {
    const { host, stop } = await startRegistry(t)
    t.match(await api.post('/images/pull', { image: `${host}/nothing:1` }), { status: 400, body: { code: 'image_not_found' } })
    await stop()
    t.match(await api.post('/images/pull', { image: `${host}/nothing:1` }), { status: 400, body: { code: 'registry_unreachable' } })
  }
  for (const wrong of ['', 'Nginx', 'a b', 'http://127.0.0.1/x', `sha256:${'a'.repeat(64)}`]) {
    t.match(await api.post('/images/pull', { image: wrong }), { status: 400, body: { errors: [{ pointer: '/image' }] } }, wrong)
  }
  t.match(await api.post('/images/pull', { images: 'nginx' }), { status: 400 })
})

t.end()
