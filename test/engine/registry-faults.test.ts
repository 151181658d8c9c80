import t from 'tap'
import type { Test } from 'tap'
import { listContainers } from '../../src/engine/containers.ts'
import { createPulls } from '../../src/images/pulls.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createChaosSocket, engineAt } from '../support/chaos-socket.ts'
import { createTestEngine, TEST_LABELS } from '../support/engine.ts'
import { publishRandomImage } from '../support/published-image.ts'
import { registryMissing, startRegistry } from '../support/registry.ts'
import { startSlowRegistry } from '../support/slow-registry.ts'
import { openSocket } from '../support/socket-client.ts'
import { openStream } from '../support/stream-client.ts'
import { until } from '../support/until.ts'

const skip = registryMissing ?? false
/** More than fits into the buffers between a registry and an engine. */
const LAYER_BYTES = 48 * 1024 ** 2
const PULL = 'POST /images/create'

const engine = createTestEngine(t)

/** An image whose layer travels slowly, and dockAPI before an engine that is watched. */
async function openScene (t: Test, maxPulls: number) {
  const registry = await startRegistry(t)
  const slow = await startSlowRegistry(t, registry.host)
  const image = await publishRandomImage(engine, registry.host, { layerBytes: LAYER_BYTES, name: slow.host })
  const chaos = await createChaosSocket(t)
  const { url } = await listenTestApp(t, { DOCKER_HOST: chaos.host, DOCKAPI_MAX_PULLS: String(maxPulls), DOCKAPI_SCOPE: 'all' })
  return { registry, slow, image, chaos, url, api: createClient(url) }
}

t.test('a registry that is killed while a layer travels is the same error in every form, leaves nothing, and the pull works once it is back', { skip }, async (t) => {
  const { registry, image, chaos, url, api, slow } = await openScene(t, 4)
  const name = `registry-fault-${process.pid}`
  const launched = await api.post('/api/containers', { image, name: `${name}-api` })
  t.equal(launched.status, 200)
  const asJson = api.post('/images/pull', { image })
  const asRun = api.post('/containers/run', { image, name, container_port: 80, labels: TEST_LABELS })
  const asLines = await openStream(t, `${url}/images/pull`, { body: { image } })
  const asMessages = await openStream(t, `${url}/images/pull`, { form: 'sse', body: { image } })
  const asSocket = await openSocket(t, `${url}/images/pull?image=${image}`)
  for (const stream of [asLines, asMessages]) await stream.until(({ event }) => event === 'progress')
  await until(() => slow.held === 1)
  t.equal(chaos.count(PULL), 1, 'all of them share one download')
  await registry.stop()
  slow.release()

  const failure = { code: 'registry_unreachable', detail: /\w/, hint: /registry/, retryable: true }
  t.match(await asJson, { status: 400, body: failure })
  t.match(await asRun, { status: 400, body: failure })
  for (const stream of [asLines, asMessages]) {
    const events = await stream.rest()
    t.match(events.at(-1), { event: 'error', data: { ...failure, status: 400 } })
    t.ok(events.some(({ data }) => /Retrying/.test(String(data.status))))
  }
  t.match((await asSocket.rest()).slice(-2), [{ event: 'error', ...failure }, { event: 'end', reason: 'failed' }])
  t.match(await (await fetch(`${url}/api/containers/${String(launched.body.id)}/logs?follow=false`, { headers: { accept: 'text/plain' } })).text(), /^\[init\] pulling image\.\.\.\n\[init\] error: .+\n$/)
  t.notOk((await listContainers(engine)).some(({ Names }) => Names.some((each) => each.startsWith(`/${name}`))), 'no container is left')

  await registry.start()
  t.match(await Promise.all(Array.from({ length: 4 }, async () => (await api.post('/images/pull', { image })).status)), [200, 200, 200, 200], 'every slot is free again')
})

t.test('a registry that is back while the engine still tries is no failure', { skip }, async (t) => {
  const registry = await startRegistry(t)
  const slow = await startSlowRegistry(t, registry.host)
  const image = await publishRandomImage(engine, registry.host, { layerBytes: LAYER_BYTES, name: slow.host })
  const { url } = await listenTestApp(t)
  const pull = await openStream(t, `${url}/images/pull`, { body: { image } })
  await until(() => slow.held === 1)
  await registry.stop()
  slow.release()
  await pull.until(({ data }) => /^Retrying/.test(String(data.status)))
  await registry.start()
  t.match((await pull.rest()).at(-1), { event: 'done', data: { image, status: 'downloaded' } })
})

t.test('a registry that stands still: who leaves cancels the download and has a free slot, and the pull works once it goes on', { skip }, async (t) => {
  const { registry, image, chaos, url, api, slow } = await openScene(t, 2)
  const name = `registry-fault-${process.pid}`
  const leaving = new AbortController()
  const send = async (path: string, body: object) => await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal: leaving.signal })
  const asJson = send('/images/pull', { image })
  const asRun = send('/containers/run', { image, name, container_port: 80, labels: TEST_LABELS })
  for (const asked of [asJson, asRun]) asked.catch(() => {})
  const asLines = await openStream(t, `${url}/images/pull`, { body: { image } })
  const launched = await api.post('/api/containers', { image, name: `${name}-api` })
  await until(() => slow.held === 1)
  t.match(await api.post('/images/pull', { image }), { status: 429, body: { code: 'too_many_pulls' } })
  registry.freeze()
  t.after(() => { registry.thaw() })
  slow.release()

  leaving.abort()
  asLines.leave()
  t.match(await api.delete(`/api/containers/${String(launched.body.id)}`), { status: 200 })
  for (const left of [asJson, asRun]) await t.rejects(left)
  await until(() => chaos.underWay(PULL) === 0)
  t.notOk((await listContainers(engine)).some(({ Names }) => Names.some((each) => each.startsWith(`/${name}`))), 'no container is left')
  registry.thaw()
  t.match(await Promise.all([1, 2].map(async () => (await api.post('/images/pull', { image })).status)), [200, 200])
  t.equal(chaos.count(PULL), 2)
})

t.test('a registry that stands still for too long is taken for dead, for all who wait', { skip }, async (t) => {
  const registry = await startRegistry(t)
  const slow = await startSlowRegistry(t, registry.host)
  const image = await publishRandomImage(engine, registry.host, { layerBytes: LAYER_BYTES, name: slow.host })
  const chaos = await createChaosSocket(t)
  const pulls = createPulls(engineAt(t, { DOCKER_HOST: chaos.host }), () => ({ auths: {} }), { enforceImage: (reference) => reference }, 2_000)
  t.after(() => pulls.close())
  const waiting = [pulls.pull({ image }), pulls.pull({ image })]
  for (const wait of waiting) wait.catch(() => {})
  await until(() => slow.held === 1)
  registry.freeze()
  slow.release()
  for (const wait of waiting) await t.rejects(wait, { code: 'registry_unreachable', message: /sent nothing of ".*" for 2 seconds/, isRetryable: true })
  await until(() => chaos.underWay(PULL) === 0)
  registry.thaw()
  t.match(await pulls.pull({ image }), { status: 'downloaded' })
})

t.end()
