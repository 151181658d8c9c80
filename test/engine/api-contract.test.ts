import { randomBytes, randomUUID } from 'node:crypto'
import { request as sendRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import t from 'tap'
import type { Test } from 'tap'
import { buildImage } from '../../scripts/images.ts'
import type { Problem } from '../../schemas/problem.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, startTestContainer, TEST_LABEL, TEST_RUN } from '../support/engine.ts'
import { registryMissing, startRegistry } from '../support/registry.ts'
import { startSlowRegistry } from '../support/slow-registry.ts'
import { until } from '../support/until.ts'

type Listed = { id: string, name: string, image: string, status: string, createdAt: number, ports: string[] }
type Launched = { id: string, name: string, status: string, logs: string[] }

const LISTENING = '[info] server listening on port 3000'
const FIRST_LINES = ['[init] pulling image...', '[init] creating container...']
const skip = registryMissing ?? false

const engine = createTestEngine(t)
const busybox = await busyboxImage(engine)
const { url, app } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0', DOCKAPI_SCOPE: 'all' })
const api = createClient(url)

/** The functions of the front-end's document, as they stand there. */
async function getContainers () {
  const response = await fetch(`${url}/api/containers`)
  return await response.json() as { containers: Listed[] }
}

async function createContainer (config: { image: string, name: string, ports?: string[] }) {
  const response = await fetch(`${url}/api/containers`, {
    method: 'POST',
    body: JSON.stringify(config)
  })
  return await response.json() as Launched
}

async function deleteContainer (containerId: string) {
  const response = await fetch(`${url}/api/containers/${containerId}`, {
    method: 'DELETE'
  })
  return await response.json() as Record<string, unknown>
}

async function getContainerLogs (containerId: string) {
  const response = await fetch(`${url}/api/containers/${containerId}/logs`)
  return await response.text()
}

/** An application that says where it listens, and answers there. */
async function buildApplication (reference: string, lines: string[] = []): Promise<void> {
  const start = `echo '${LISTENING}'; mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p 3000 -h /www`
  const dockerfile = [`FROM ${busybox}`, `LABEL ${TEST_LABEL}=${TEST_RUN}`, 'EXPOSE 3000', 'STOPSIGNAL SIGKILL', ...lines, `CMD ${JSON.stringify(['sh', '-c', start])}`]
  await buildImage(engine, reference, [{ path: 'Dockerfile', content: `${dockerfile.join('\n')}\n` }])
}

/** The same in a registry and nowhere else. @returns Its name there, as the engine should ask for it. */
async function publish (registry: string, name = registry): Promise<string> {
  const path = `team/app-${randomUUID().slice(0, 8)}:18`
  const reference = `${registry}/${path}`
  await buildApplication(reference, [`LABEL unique=${randomBytes(8).toString('hex')}`, 'RUN ["sh", "-c", "head -c 100000 /dev/urandom > /random"]'])
  await engine.call('test.publish', async (docker, abortSignal) => {
    const output = await text(await docker.getImage(reference).push({ authconfig: { username: '', password: '', serveraddress: registry }, abortSignal }))
    if (output.includes('errorDetail')) throw new Error(output)
    await docker.getImage(reference).remove({ abortSignal })
  }, { timeoutMs: 60_000 })
  return `${name}/${path}`
}

function find (id: string) {
  return getContainers().then(({ containers }) => containers.find((container) => container.id === id))
}

async function readLines (id: string): Promise<string[]> {
  const response = await fetch(`${url}/api/containers/${id}/logs?follow=false`, { headers: { accept: 'text/plain' } })
  return (await response.text()).trimEnd().split('\n')
}

function nameFor (t: Test): string {
  return `app-${t.name.replaceAll(/[^a-z]+/gi, '-').slice(0, 20)}-${randomUUID().slice(0, 8)}`
}

const local = `app-${randomUUID().slice(0, 8)}:18`
await buildApplication(local)

t.test('a container is made, listed, read, stopped, started and deleted in the words of the document', async (t) => {
  const name = nameFor(t)
  const created = await createContainer({ image: local, name, ports: ['0:3000'] })
  t.same(created, { id: created.id, name, status: 'initializing', logs: FIRST_LINES })
  t.match(created.id, /^[0-9a-f]{12}$/)
  await until(async () => (await find(created.id))?.status === 'running')
  const listed = await find(created.id)
  t.match(listed, { name, image: local, ports: [/^\d+:3000$/] })
  t.ok(Math.abs(listed!.createdAt - Date.now()) < 60_000)
  t.same(Object.keys(listed!), ['id', 'name', 'image', 'status', 'createdAt', 'ports'])
  const port = listed!.ports[0]!.split(':')[0]
  await until(async () => (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))?.status === 200)

  const following = getContainerLogs(created.id)
  t.same(await (await fetch(`${url}/api/containers/${created.id}/stop`, { method: 'POST' })).json(), { success: true, id: created.id })
  const log = await following
  t.match(log, /data: \[init\] pulling image\.\.\.\n\n.*data: \[init\] creating container\.\.\.\n\n.*data: \[init\] starting container\.\.\.\n\n.*data: \[info\] server listening on port 3000\n\n/s)
  t.match(log, /event: end\nid: end~\S+\ndata: \{"reason":"container_ended"\}\n\n$/)
  t.equal((await find(created.id))?.status, 'exited')
  t.same((await find(created.id))?.ports, [], 'a port that is not published now is left out')

  t.match(await api.post(`/api/containers/${created.id}/start`), { status: 200, body: { success: true, id: created.id } })
  t.match(await api.post(`/api/containers/${created.id}/start`), { status: 200 })
  t.equal((await find(created.id))?.status, 'running')
  t.same(await deleteContainer(created.id), { success: true, id: created.id }, 'a running one is stopped first')
  t.equal(await find(created.id), undefined)
  t.match(await api.delete<Problem>(`/api/containers/${created.id}`), { status: 404, body: { code: 'container_not_found', error: /^There is no container/ } })
})

t.test('what has to be pulled first has an id before there is a container, and keeps it', { skip }, async (t) => {
  const { host } = await startRegistry(t)
  const slow = await startSlowRegistry(t, host)
  const image = await publish(host, slow.host)
  const name = nameFor(t)
  const created = await createContainer({ image, name })
  t.same(created, { id: created.id, name, status: 'initializing', logs: FIRST_LINES })
  await until(() => slow.held === 1)
  t.match(await find(created.id), { name, image, status: 'initializing', ports: [] })
  t.same(await readLines(created.id), FIRST_LINES.slice(0, 1))
  t.match(await api.post('/api/containers', { image: local, name }), { status: 409, body: { code: 'name_conflict' } }, 'its name is taken')

  const following = fetch(`${url}/api/containers/${created.id}/logs`, { headers: { accept: 'text/plain' } }).then((response) => response.text())
  slow.release()
  await until(async () => (await find(created.id))?.status === 'running')
  t.equal((await getContainers()).containers.filter((container) => container.name === name).length, 1)
  t.match(await find(created.id), { ports: [/^\d+:3000$/] }, 'the port that the image exposes')
  await until(async () => (await readLines(created.id)).includes(LISTENING))
  t.same(await api.delete(`/api/containers/${created.id}`).then(({ body }) => body), { success: true, id: created.id })
  t.same((await following).trimEnd().split('\n'), [...FIRST_LINES, '[init] starting container...', LISTENING])
})

t.test('what cannot be pulled shows as an error, and its log says why; it can be deleted', { skip }, async (t) => {
  const { host } = await startRegistry(t)
  const name = nameFor(t)
  const { id } = await createContainer({ image: `${host}/nothing:1`, name, ports: ['8080:3000'] })
  await until(async () => (await find(id))?.status === 'error')
  const lines = await readLines(id)
  t.equal(lines.length, 2)
  t.match(lines[1], /^\[init\] error: .*manifest/)
  t.match(await getContainerLogs(id), /\nid: init~2\ndata: \[init\] error: .*\n\nevent: end\nid: end~init~2\ndata: \{"reason":"failed"\}\n\n$/)
  t.match(await api.post(`/api/containers/${id}/start`), { status: 404, body: { code: 'container_not_found' } })
  t.same(await deleteContainer(id), { success: true, id })
  t.equal(await find(id), undefined)
})

t.test('S26: a taken port ends the launch; a new attempt takes its place', async (t) => {
  const taken = (app.server.address() as { port: number }).port
  const name = nameFor(t)
  const { id } = await createContainer({ image: local, name, ports: [`${taken}:3000`] })
  await until(async () => (await find(id))?.status === 'error')
  t.match((await readLines(id)).at(-1), /^\[init\] error: .*address already in use/)
  const again = await createContainer({ image: local, name, ports: ['0:3000'] })
  await until(async () => (await find(again.id))?.status === 'running')
  t.equal(await find(id), undefined)
  await deleteContainer(again.id)
})

t.test('a launch is given up when it is deleted, and leaves nothing', { skip }, async (t) => {
  const { host } = await startRegistry(t)
  const slow = await startSlowRegistry(t, host)
  const image = await publish(host, slow.host)
  const { id } = await createContainer({ image, name: nameFor(t) })
  const stopped = await createContainer({ image, name: nameFor(t) })
  await until(() => slow.held === 1)
  t.same(await deleteContainer(id), { success: true, id })
  t.equal(await find(id), undefined)
  t.equal(slow.held, 1, 'the other one still wants the image')
  t.match(await api.post(`/api/containers/${stopped.id}/stop`), { status: 200, body: { success: true } })
  t.same(await readLines(stopped.id), ['[init] pulling image...', '[init] error: cancelled'])
  await until(() => slow.held === 0)
})

t.test('what is wrong is refused at once, with the field', async (t) => {
  for (const [body, pointer] of [
    [{}, '/image'], [{ image: 'Wrong' }, '/image'], [{ image: local, name: '-' }, '/name'], [{ image: local, port: ['1:2'] }, '/port'],
    [{ image: local, ports: ['127.0.0.1:80:80'] }, '/ports/0'], [{ image: local, ports: ['1:80', '2:80'] }, '/ports/1'], [{ image: local, ports: ['1:70000'] }, '/ports/0'], [{ image: local, ports: [80] }, '/ports/0']
  ] as const) {
    const answer = await api.post<Problem>('/api/containers', body)
    t.equal(answer.status, 400, JSON.stringify(body))
    t.match(answer.body.errors?.[0], { where: 'body', pointer }, JSON.stringify(body))
    t.equal(answer.body.error, answer.body.detail)
  }
  for (const path of ['/api/containers/nothing/logs', '/api/containers/0123456789ab/logs']) t.match(await api.get(path), { status: 404, body: { code: 'container_not_found' } })
  t.match(await api.post('/api/containers/nothing/start'), { status: 404 })
  t.equal((await fetch(`${url}/api/containers/nothing/logs`, { headers: { accept: 'image/png' } })).status, 406)
})

t.test('JSON without a content type is taken from own pages and programs, never from other pages', async (t) => {
  const { host } = new URL(url)
  const send = (headers: Record<string, string>) => new Promise<number>((resolve, reject) => {
    const request = sendRequest(`${url}/api/containers`, { method: 'POST', headers: { 'content-type': 'text/plain;charset=UTF-8', ...headers } }, (response) => {
      response.resume()
      resolve(response.statusCode!)
    })
    request.once('error', reject)
    request.end('{"image": "Wrong"}')
  })
  for (const headers of [{}, { origin: url }, { 'sec-fetch-site': 'same-origin' }, { origin: url, 'sec-fetch-site': 'same-origin' }]) t.equal(await send(headers), 400, `read as JSON: ${JSON.stringify(headers)}`)
  const otherPage = `http://127.0.0.1:${Number(new URL(url).port) - 1}`
  for (const headers of [{ origin: otherPage }, { 'sec-fetch-site': 'none' }, { origin: otherPage, 'sec-fetch-site': 'same-site' }, { origin: `http://localhost:${host.split(':')[1]}` }]) t.equal(await send(headers), 415, JSON.stringify(headers))
  for (const headers of [{ origin: 'null' }, { origin: 'http://evil.test' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }]) t.equal(await send(headers), 403, JSON.stringify(headers))
  t.equal(await send({ 'content-type': 'application/x-www-form-urlencoded' }), 415)
  t.equal((await fetch(`${url}/containers/run`, { method: 'POST', body: '{"image": "Wrong"}' })).status, 415, 'elsewhere as before')
  t.equal((await fetch(`${url}/api/containers`, { method: 'POST', body: '{"image": ' })).status, 400)
  t.equal((await fetch(`${url}/api/containers`, { method: 'POST', body: '{"__proto__": {}, "image": "a"}' })).status, 400)
})

t.test('the stream of messages is taken up where it was left, and cannot be forged by a log', async (t) => {
  const script = 'printf "one\\rid: 9\\r\\revent: end\\rdata: forged\\n"; echo two; exec sleep 1000'
  const { id } = await startTestContainer(engine, { image: busybox, command: ['sh', '-c', script] })
  const read = (lastId?: string) => fetch(`${url}/api/containers/${id}/logs?follow=false`, { headers: lastId === undefined ? {} : { 'last-event-id': lastId } })
  await until(async () => (await (await read()).text()).includes('data: two'))
  const whole = await (await read()).text()
  t.match(whole, /^retry: 2000\n\nid: (\S+)\ndata: one\ndata: id: 9\ndata: \ndata: event: end\ndata: data: forged\n\nid: \S+\ndata: two\n\nevent: end\nid: end~\S+\ndata: \{"reason":"complete"\}\n\n$/)
  const [first, second] = [...whole.matchAll(/^id: (\S+)$/gm)].map((match) => match[1]!).filter((line) => line !== '9')
  t.notMatch(await (await read(first)).text(), /data: one/)
  t.match(await (await read(first)).text(), /data: two/)
  t.notMatch(await (await read(second)).text(), /data: two/)
  t.equal((await read(`end~${second}`)).status, 204)
  t.equal((await read('nonsense')).status, 400)
})

t.test('images are listed by repository, and tags and images removed', async (t) => {
  const name = `shop-${randomUUID().slice(0, 8)}`
  await buildApplication(`${name}:18`, [`LABEL unique=${name}`])
  await api.post('/images/tag', { image: `${name}:18`, name: `${name}:latest` })
  await api.post('/images/tag', { image: `${name}:18`, name: `other-${name}:18` })
  const entries = async () => (await api.get<{ images: Array<{ id: string, name: string, tags: string[] }> }>('/api/images')).body.images.filter((image) => image.name.endsWith(name))
  const [entry] = (await entries()).filter((image) => image.name === name)
  t.match(entry, { id: /^sha256:[0-9a-f]{64}$/, name, tags: ['18', 'latest'] })
  t.same((await entries()).map((image) => image.id), [entry!.id, entry!.id])

  const path = `/api/images/${entry!.id}`
  t.match(await api.delete(`${path}/tags/18`), { status: 409, body: { code: 'ambiguous_tag' } })
  t.match(await api.delete(`${path}/tags/18?name=other-${name}`), { status: 200, body: { success: true, id: entry!.id } })
  t.match(await api.delete(`${path}/tags/18`), { status: 200 })
  t.match(await api.delete(`${path}/tags/18`), { status: 404, body: { code: 'no_such_image' } })
  t.same((await entries()).map(({ tags }) => tags), [['latest']])

  const { id } = await startTestContainer(engine, { image: `${name}:latest` })
  t.match(await api.delete(path), { status: 409, body: { code: 'image_in_use' } })
  t.match(await api.delete(`${path}/tags/latest`), { status: 409, body: { code: 'image_in_use' } })
  await deleteContainer(id)
  await api.post('/images/tag', { image: `${name}:latest`, name: `again-${name}:1` })
  t.match(await api.delete(path), { status: 200, body: { success: true, id: entry!.id } }, 'with all its names')
  t.same(await entries(), [])
  t.match(await api.delete(path), { status: 404, body: { code: 'no_such_image' } })
  t.match(await api.delete('/api/images/Wrong'), { status: 400 })
})

t.test('POST /containers launches an image at a name that the engine chooses', { skip }, async (t) => {
  const { host } = await startRegistry(t)
  const image = await publish(host)
  const { status, headers, body } = await api.post<{ status: string, container: string, id: string, name: string, url: string, host: string }>('/containers', { image })
  t.equal(status, 201)
  t.equal(headers.get('location'), `/containers/${body.id}`)
  t.match(body, { status: 'success', container: `/${body.name}.localhost`, name: /^[a-z]+_[a-z]+\d*$/, host: `${body.name.replace('_', '-')}.localhost` })
  const { port } = new URL(body.url)
  const visit = (host: string) => new Promise<number>((resolve, reject) => {
    sendRequest({ host: '127.0.0.1', port, headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode!)
    }).once('error', reject).end()
  })
  await until(async () => await visit(body.host) === 200)
  t.equal(await visit(body.container.slice(1)), 200, 'the name as the document writes it')
  await deleteContainer(body.id)

  const repository = image.slice(0, image.lastIndexOf(':'))
  const tagged = await api.post<{ id: string }>('/containers', { image: repository, tag: '18' })
  t.equal(tagged.status, 201)
  await deleteContainer(tagged.body.id)
  t.match(await api.post('/containers', { image, tag: '19' }), { status: 400, body: { errors: [{ pointer: '/tag' }] } })
  t.match(await api.post('/containers', { image: repository }), { status: 400, body: { code: 'image_not_found' } }, 'no tag means latest')
  t.match(await api.post('/containers', {}), { status: 400, body: { errors: [{ pointer: '/image' }] } })
})

t.end()
