import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { spill } from '../../../src/files/spill.ts'
import { until } from '../../support/until.ts'

const CHUNK = 10_000

/** Counts what was taken of it. */
function createSource (count: number, failure?: Error) {
  const bytes = randomBytes(count * CHUNK)
  const source = { taken: 0, isReleased: false, bytes, chunks: read() }
  async function * read () {
    try {
      for (let index = 0; index < count; index++) {
        source.taken++
        yield bytes.subarray(index * CHUNK, (index + 1) * CHUNK)
      }
      if (failure !== undefined) throw failure
    } finally {
      source.isReleased = true
    }
  }
  return source
}

async function temporaryFiles (): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => /^dockapi-[0-9a-f]{8}-/.test(name))
}

t.test('a source is taken whole before anybody reads, and comes out the same', async (t) => {
  const source = createSource(50)
  const { stream, complete } = await spill(source.chunks)
  t.equal(await complete, source.bytes.length)
  t.ok(source.isReleased)
  t.ok((await buffer(stream)).equals(source.bytes))
})

t.test('a source that is too far ahead waits for the reader', async (t) => {
  const source = createSource(50)
  const { stream, complete } = await spill(source.chunks, 5 * CHUNK)
  await until(() => source.taken > 5)
  t.ok(source.taken < 10, String(source.taken))
  t.ok((await buffer(stream)).equals(source.bytes))
  t.equal(await complete, source.bytes.length)
})

t.test('a failure of the source comes after what came before it', async (t) => {
  const { stream, complete } = await spill(createSource(3, new Error('broken')).chunks)
  await t.rejects(complete, { message: 'broken' })
  await t.rejects(buffer(stream), { message: 'broken' })
})

t.test('a reader who leaves lets go of the source, and nothing is left on the disk', async (t) => {
  const before = await temporaryFiles()
  const source = createSource(50)
  const { stream } = await spill(source.chunks, 5 * CHUNK)
  t.match(await stream.iterator({ destroyOnReturn: false }).next(), { done: false })
  t.same(await temporaryFiles(), before, 'the file has no name while it is open')
  stream.destroy()
  await until(() => source.isReleased)
  t.ok(source.taken < 50)
})

t.end()
