import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { extract, pack } from 'tar-stream'
import type { Header } from 'tar-stream'
import t from 'tap'
import { DockApiError } from '../../../src/errors.ts'
import { safeTar } from '../../../src/files/safe-tar.ts'
import { until } from '../../support/until.ts'

type Entry = Partial<Header> & { name: string, content?: string }
type Read = Pick<Header, 'name' | 'type' | 'mode' | 'uid' | 'gid' | 'linkname'> & { content: string }

const OWNER = { uid: 7, gid: 8 }

async function archiveOf (entries: Entry[]): Promise<Buffer> {
  const tar = pack()
  for (const { content = '', ...header } of entries) tar.entry(header, content)
  tar.finalize()
  return await buffer(tar as AsyncIterable<Buffer>)
}

async function pass (archive: Buffer, chunkBytes = 1000) {
  const chunks = Array.from({ length: Math.ceil(archive.length / chunkBytes) }, (_, index) => archive.subarray(index * chunkBytes, (index + 1) * chunkBytes))
  const tally = { entries: 0, bytes: 0 }
  return { out: await buffer(safeTar(Readable.from(chunks), OWNER, tally)), tally }
}

async function read (archive: Buffer): Promise<Read[]> {
  const tar = extract()
  tar.end(archive)
  const entries: Read[] = []
  for await (const entry of tar) {
    const { name, type, mode, uid, gid, linkname } = entry.header
    entries.push({ name, type, mode, uid, gid, linkname, content: (await buffer(entry as AsyncIterable<Buffer>)).toString() })
  }
  return entries
}

/** What the refusal says; undefined when the archive passed. */
async function refusal (archive: Buffer): Promise<string | undefined> {
  return await pass(archive).then(() => undefined, (error: unknown) => {
    if (!(error instanceof DockApiError)) throw error
    return `${error.code}: ${error.message}`
  })
}

/** A header of a type that no library writes. */
function rawEntry (name: string, typeflag: string): Buffer {
  const block = Buffer.alloc(512)
  block.write(name)
  block.write('0000644 ', 100)
  block.write('0000000 ', 108)
  block.write('0000000 ', 116)
  block.write('00000000000 ', 124)
  block.write('00000000000 ', 136)
  block.write('        ', 148)
  block.write(typeflag, 156)
  block.write('ustar\x0000', 257, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return Buffer.concat([block, Buffer.alloc(1024)])
}

t.test('files, folders and links that stay within are written anew, owned as told and without special bits', async (t) => {
  const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'ü'.repeat(90)}`
  const archive = await archiveOf([
    { name: './', type: 'directory', mode: 0o700 },
    { name: './sub/', type: 'directory', mode: 0o1755, uid: 1, gid: 2 },
    { name: 'sub/tool', mode: 0o6755, uid: 1, content: 'x'.repeat(70_000) },
    { name: 'sub/empty' },
    { name: 'sub/deep/up', type: 'symlink', linkname: '../tool' },
    { name: 'sub/same', type: 'link', linkname: './sub/tool' },
    { name: long, content: 'long' }
  ])
  const { out, tally } = await pass(archive)
  t.same(tally, { entries: 6, bytes: 70_004 })
  const owned = { ...OWNER, linkname: null, content: '' }
  t.same(await read(out), [
    { ...owned, name: 'sub', type: 'directory', mode: 0o755 },
    { ...owned, name: 'sub/tool', type: 'file', mode: 0o755, content: 'x'.repeat(70_000) },
    { ...owned, name: 'sub/empty', type: 'file', mode: 0o644 },
    { ...owned, name: 'sub/deep/up', type: 'symlink', mode: 0o644, linkname: '../tool' },
    { ...owned, name: 'sub/same', type: 'link', mode: 0o644, linkname: 'sub/tool' },
    { ...owned, name: long, type: 'file', mode: 0o644, content: 'long' }
  ])
})

const LINK = { name: 'd/e/link', type: 'symlink' } as const

for (const [what, entries, why] of [
  ['an absolute name', [{ name: '/etc/passwd', content: 'x' }], /absolute/],
  ['a name that climbs', [{ name: '../x', content: 'x' }], /"\.\."/],
  ['a name that climbs from within', [{ name: 'a/../../x', content: 'x' }], /"\.\."/],
  ['a long name that climbs', [{ name: `${'a/'.repeat(90)}../x`, content: 'x' }], /"\.\."/],
  ['an absolute link', [{ ...LINK, linkname: '/etc' }], /leads out/],
  ['a link that climbs out', [{ ...LINK, linkname: '../../../etc' }], /leads out/],
  ['a link that goes down and climbs', [{ ...LINK, linkname: 'x/../../../../etc' }], /leads out/],
  ['a link that climbs behind another one', [{ name: 'a/b/s', type: 'symlink', linkname: '../..' }, { name: 'a/b/t', type: 'symlink', linkname: 's/../x' }], /leads out/],
  ['a link to nothing', [{ ...LINK, linkname: '' }], /link to nothing/],
  ['a file beneath a link', [{ name: 'l', type: 'symlink', linkname: 'sub' }, { name: 'l/x', content: 'x' }], /beneath a link/],
  ['a file beneath a link that became a folder', [{ name: 'l', type: 'symlink', linkname: 'sub' }, { name: 'l/', type: 'directory' }, { name: 'l/y/x', content: 'x' }], /beneath a link/],
  ['a hard link out of the archive', [{ name: 'h', type: 'link', linkname: '/etc/shadow' }], /absolute|no file before it/],
  ['a hard link that climbs', [{ name: 'h', type: 'link', linkname: '../x' }], /"\.\."/],
  ['a hard link to what is in the container', [{ name: 'h', type: 'link', linkname: 'other' }], /no file before it/],
  ['a hard link to a link', [{ name: 'l', type: 'symlink', linkname: 'x' }, { name: 'h', type: 'link', linkname: 'l' }], /no file before it/],
  ['a device', [{ name: 'sda', type: 'block-device', devmajor: 8, devminor: 0 }], /neither a file/],
  ['a character device', [{ name: 'mem', type: 'character-device', devmajor: 1, devminor: 1 }], /neither a file/],
  ['a pipe', [{ name: 'pipe', type: 'fifo' }], /neither a file/],
  ['a sparse file', [{ name: 'hole', content: 'x', pax: { 'GNU.sparse.major': '1', 'GNU.sparse.realsize': '10737418240' } }], /sparse/],
  ['a name that is too long', [{ name: 'x/'.repeat(600), content: 'x' }], /more than 1024/],
  ['a name with NUL', [{ name: 'ok', pax: { path: 'a\0b' }, content: 'x' }], /not UTF-8/],
  ['an archive of nothing', [], /without entries/],
  ['an archive of only the folder', [{ name: './', type: 'directory' }], /without entries/]
] as ReadonlyArray<readonly [string, Entry[], RegExp]>) {
  t.test(`${what} is refused`, async (t) => {
    t.match(await refusal(await archiveOf(entries)), new RegExp(`^invalid_request: body: .*(?:${why.source})`, 's'))
  })
}

t.test('S27: types that are none, packed archives, and what is no archive are refused', async (t) => {
  for (const typeflag of ['S', 'M', 'V', 'D', '7', 'Z']) t.match(await refusal(rawEntry('x', typeflag)), /neither a file/, typeflag)
  const archive = await archiveOf([{ name: 'a', content: 'x'.repeat(5000) }])
  for (const [what, bytes] of [
    ['gzip', gzipSync(archive)], ['xz', Buffer.concat([Buffer.from('fd377a585a00', 'hex'), Buffer.alloc(2000, 7)])], ['zstd', Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.alloc(2000, 7)])],
    ['text', Buffer.from('hello '.repeat(500))], ['cut in a file', archive.subarray(0, 3000)], ['cut in a header', archive.subarray(0, 300)], ['nothing', Buffer.alloc(0)]
  ] as const) t.match(await refusal(bytes), /^invalid_request: body: is (?:no plain tar|an archive without)/, what)
  const [header] = [archive.subarray(0, 512)]
  const wrongSum = Buffer.from(header)
  wrongSum[0]!++
  t.match(await refusal(Buffer.concat([wrongSum, archive.subarray(512)])), /no plain tar/)
})

t.test('S27: a million entries, and names without end, are bounded', async (t) => {
  const many = await archiveOf(Array.from({ length: 1000 }, (_, index) => ({ name: String(index) })))
  const endless = async function * () {
    for (let round = 0; round < 1000; round++) yield many.subarray(0, -1024)
  }
  await t.rejects(buffer(safeTar(Readable.from(endless()), OWNER, { entries: 0, bytes: 0 })), { code: 'invalid_request', message: /more than 100000 entries/ })
  const long = await archiveOf(Array.from({ length: 100 }, (_, index) => ({ name: `${'n'.repeat(1000)}${index}` })))
  const heavy = async function * () {
    for (let round = 0; round < 1000; round++) yield long.subarray(0, -1024)
  }
  await t.rejects(buffer(safeTar(Readable.from(heavy()), OWNER, { entries: 0, bytes: 0 })), { code: 'body_too_large', message: /long names/ })
  const header = rawEntry('x', 'x').subarray(0, 512)
  header.write('77777777777 ', 124)
  header.write('        ', 148)
  header.write(`${header.reduce((total, byte) => total + byte, 0).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  t.match(await refusal(header), /no plain tar/, 'an extended header of 8 GiB')
})

t.test('a failure of the source is the failure of the archive, and reading no more lets go of it', async (t) => {
  const archive = await archiveOf([{ name: 'a', content: 'x'.repeat(100_000) }])
  const broken = async function * () {
    yield archive.subarray(0, 50_000)
    throw new DockApiError('body_too_large', 'Too much.')
  }
  await t.rejects(buffer(safeTar(Readable.from(broken()), OWNER, { entries: 0, bytes: 0 })), { code: 'body_too_large' })

  let isReleased = false
  const endless = async function * () {
    try {
      yield archive.subarray(0, 512)
      for (;;) yield Buffer.alloc(512)
    } finally {
      isReleased = true
    }
  }
  const out = safeTar(Readable.from(endless(), { objectMode: false, highWaterMark: 512 }), OWNER, { entries: 0, bytes: 0 })
  t.match(await out.iterator().next(), { done: false })
  out.destroy()
  await until(() => isReleased)
})

t.end()
