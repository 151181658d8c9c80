import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { createContainer, startContainer } from '../../src/engine/containers.ts'
import type { ContainerSpec } from '../../src/engine/containers.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { openExec } from '../../src/engine/exec.ts'
import type { OutputChunk } from '../../src/engine/frames.ts'
import type { Judged } from '../../src/policy/judged.ts'
import { createTar } from '../../scripts/images.ts'
import { createChaosSocket, engineAt } from '../support/chaos-socket.ts'
import { busyboxImage, createTestEngine, TEST_LABELS } from '../support/engine.ts'

/** More than every buffer on the way holds. */
const MEGABYTE = 1024 ** 2

/** A container that sleeps and has no network. */
async function startSleeper (engine: Engine): Promise<string> {
  const spec: ContainerSpec = { Image: await busyboxImage(engine), Cmd: ['sleep', '300'], Labels: { ...TEST_LABELS }, HostConfig: { NetworkMode: 'none', Init: true } }
  const id = await createContainer(engine, spec as Judged<ContainerSpec>, {})
  await startContainer(engine, id)
  return id
}

await t.test('an upgraded connection carries bytes both ways and can be half-closed', async (t) => {
  const real = createTestEngine(t)
  const id = await startSleeper(real)
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  for (const through of [real, engine]) {
    const { socket, output } = await openExec(through, id, { command: ['wc', '-c'], isTty: false, hasStdin: true })
    socket.end(Buffer.alloc(MEGABYTE, 'x'))
    const chunks: Buffer[] = []
    for await (const chunk of output as AsyncIterable<OutputChunk>) chunks.push(chunk.bytes)
    t.equal(Buffer.concat(chunks).toString().trim(), String(MEGABYTE))
  }
})

await t.test('the signal of a stream cuts an upgraded connection', async (t) => {
  const engine = createTestEngine(t)
  const id = await startSleeper(engine)
  const leaving = new AbortController()
  const { socket, output } = await openExec(engine, id, { command: ['cat'], isTty: false, hasStdin: true }, { signal: leaving.signal })
  output.on('error', () => {})
  const closed = new Promise((resolve) => socket.once('close', resolve))
  leaving.abort()
  await closed
  t.ok(socket.destroyed)
})

await t.test('archives go in and out as they are', async (t) => {
  const engine = createTestEngine(t)
  const id = await startSleeper(engine)
  const content = 'é'.repeat(MEGABYTE)
  const file = await createTar([{ path: 'blob', content }])
  await engine.call('test.putArchive', (docker, abortSignal) => docker.getContainer(id).putArchive(file, { path: '/', ...{ abortSignal } }))
  const archive = await engine.open('test.getArchive', (docker, abortSignal) => docker.getContainer(id).getArchive({ path: '/blob', ...{ abortSignal } }))
  t.ok((await buffer(archive)).includes(content))
})

await t.test('a query carries lists, objects and characters that need escaping', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  const found = await engine.call('test.list', (docker, abortSignal) => docker.listContainers({ all: true, filters: { label: ['a=b&c d', 'é'] }, abortSignal }))
  t.strictSame(found, [])
  const { searchParams } = new URL(chaos.requests.at(-1)!.split(' ')[1]!, 'http://localhost')
  t.equal(searchParams.get('all'), 'true')
  t.strictSame(JSON.parse(searchParams.get('filters')!), { label: ['a=b&c d', 'é'] })
  t.strictSame([...searchParams.keys()].sort(), ['all', 'filters'], 'and nothing of ours')
})

await t.test('credentials travel in a header and in no address', async (t) => {
  const chaos = await createChaosSocket(t)
  chaos.rule('/images/create', { kind: 'answer', status: 404, body: '{"message":"manifest unknown"}' })
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  await t.rejects(engine.open('images.pull', (docker, abortSignal) => docker.createImage({ username: 'ann', password: 'hunter2' }, { fromImage: 'x', abortSignal })), { code: 'image_not_found' })
  t.notMatch(chaos.requests.join('\n'), /hunter2|aHVudGVyMg|authconfig/)
})
