import { spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import type { AuditEntry } from '../../schemas/audit.ts'
import { createClient } from '../support/api.ts'
import { busyboxImage, createTestEngine } from '../support/engine.ts'
import { startServerProcess } from '../support/process.ts'
import { createSmallDisk, reasonForNoSmallDisk } from '../support/small-disk.ts'
import { until } from '../support/until.ts'

const skip = reasonForNoSmallDisk()
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const STORE_FULL = { status: 500, body: { code: 'disk_full', detail: /data folder is full/, hint: /DOCKAPI_DATA_DIR/, retryable: false } }

const engine = createTestEngine(t)
const image = await busyboxImage(engine)

/** The product with its data, and its temporary files, on a disk that is small. */
async function startOnSmallDisk (t: Test) {
  const disk = createSmallDisk(t, '2m')
  const [dataDir, temporary] = [join(disk.folder, 'data'), join(disk.folder, 'tmp')]
  await mkdir(temporary)
  const environment = { DOCKAPI_DATA_DIR: dataDir, TMPDIR: temporary, DOCKAPI_TOKEN: 'disk-full-test-token-of-the-owner', DOCKAPI_AUTH: 'required' }
  const server = await startServerProcess(t, environment)
  const api = createClient(server.url, { authorization: `Bearer ${environment.DOCKAPI_TOKEN}` })
  return { disk, environment, server, api }
}

const route = (name: string, port: number) => ({ name, rule: 'Host(`full.example.com`)', upstreams: [{ url: `http://192.0.2.1:${port}` }] })

t.test('a data folder that is full: changes of what is kept say so and keep nothing, everything else works, and so does all of it once there is room', { skip }, async (t) => {
  const { disk, server, api } = await startOnSmallDisk(t)
  t.equal((await api.call('PUT', '/routes/before', route('before', 1))).status, 200)
  const token = await api.post<{ token: string }>('/tokens', { name: 'before', scopes: ['read'] })
  const holder = createClient(server.url, { authorization: `Bearer ${token.body.token}` })
  const names = async () => (await api.get<Array<{ name: string }>>('/tokens')).body.map(({ name }) => name)
  const made = await api.run<{ id: string }>({ image, container_port: 80, command: ['sleep', '600'], name: `disk-full-${process.pid}` })
  t.equal(made.status, 201)
  await disk.fill()

  // The write-ahead log may have room for some more.
  await until(async () => (await api.call('PUT', '/routes/before', route('before', 2))).status !== 200)
  t.match(await api.call('PUT', '/routes/before', route('before', 3)), STORE_FULL)
  t.match(await api.call('PUT', '/routes/other', route('other', 3)), STORE_FULL)
  t.match(await api.call('PUT', '/middlewares/other', { strip_prefix: { prefixes: ['/a'] } }), STORE_FULL)
  t.match(await api.post('/tokens', { name: 'other', scopes: ['read'] }), STORE_FULL)
  t.equal((await holder.get('/containers')).status, 200)
  t.match(await api.delete('/tokens/before'), { status: 500, body: { code: 'disk_full', detail: /is refused from now on/ } })
  t.equal((await holder.get('/containers')).status, 401, 'a token ends also when that cannot be kept')
  t.match(await names(), ['before'])
  t.notMatch(JSON.stringify((await api.get('/routes')).body), /192\.0\.2\.1:3/)

  t.equal((await api.post(`/containers/${made.body.id}/stop?timeout=0`)).status, 200, 'no change of a container is undone, or refused')
  t.equal((await api.post(`/containers/${made.body.id}/start`)).status, 200)
  const kept = await api.get<AuditEntry[]>('/audit?operation=startContainer')
  t.match(kept, { status: 200, body: [] })
  await until(() => /"operation":"startContainer"/.test(server.output))
  t.match(server.output, /the audit could not be kept/)
  t.equal((await api.get('/healthz')).status, 200)

  await disk.free()
  t.equal((await api.call('PUT', '/routes/other', route('other', 4))).status, 200)
  await until(async () => (await names()).length === 0)
  t.equal((await holder.get('/containers')).status, 401)
  t.equal((await api.post('/tokens', { name: 'other', scopes: ['read'] })).status, 201)
  await until(async () => (await api.get<AuditEntry[]>('/audit?operation=createToken&result=ok')).body.length === 2)
})

t.test('no room for temporary files: an upload says so and writes nothing, and works once there is room', { skip }, async (t) => {
  const { disk, environment, server, api } = await startOnSmallDisk(t)
  const { body: { id } } = await api.run<{ id: string }>({ image, container_port: 80, command: ['sleep', '600'] })
  const put = async () => {
    const response = await fetch(`${server.url}/containers/${id}/files?path=/tmp/upload`, { method: 'PUT', headers: { authorization: `Bearer ${environment.DOCKAPI_TOKEN}` }, body: Buffer.alloc(256 * 1024) })
    return { status: response.status, body: await response.json() as Record<string, unknown> }
  }
  await disk.fill()
  t.match(await put(), { status: 500, body: { code: 'disk_full', detail: /temporary files/, hint: /TMPDIR/ } })
  await disk.free()
  t.match(await api.get(`/containers/${id}/files?path=/tmp/upload`), { status: 404, body: { code: 'path_not_found' } })
  t.match(await put(), { status: 200, body: { bytes: 256 * 1024 } })
})

t.test('a start and the command line say that the disk is full, not that dockAPI is broken', { skip }, async (t) => {
  const { disk, environment, server } = await startOnSmallDisk(t)
  const runMain = (words: string[]) => spawnSync(process.execPath, [MAIN, ...words], { env: { ...process.env, ...environment, DOCKAPI_PORT: '0', DOCKAPI_GATEWAY_PORT: 'off' }, encoding: 'utf8' })
  await disk.fill()
  t.match(runMain(['token', 'create', 'laptop', '--scope', 'read']), { status: 1, stderr: /^The disk of dockAPI's data folder is full: nothing of this was kept\.\nMake room/ })
  await server.stop()
  await disk.fill()
  t.match(runMain(['--data-dir', join(disk.folder, 'new')]), { status: 1, stderr: /^The data folder .*new cannot be used: its disk is full\. Make room there/ })
})

t.end()
