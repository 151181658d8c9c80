import { randomBytes, randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { extract, pack } from 'tar-stream'
import type { Header } from 'tar-stream'
import t from 'tap'
import type { FileEntry, FileListing, WrittenFiles } from '../../schemas/files.ts'
import type { Problem } from '../../schemas/problem.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, startTestContainer, TEST_LABELS } from '../support/engine.ts'
import { until } from '../support/until.ts'

const MAX_UPLOAD = 8 * 1024 ** 2
const ENABLED = { 'dockapi.enable': 'true' }

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { url } = await listenTestApp(t, { DOCKAPI_MAX_UPLOAD: String(MAX_UPLOAD) })

type Options = { accept?: string, method?: string }

/** A running container with nothing but what a script has made in it. */
async function start (script = 'true', user?: string): Promise<string> {
  const { id } = await engine.call('test.start', async (docker, signal) => {
    const container = await docker.createContainer({ Image: image, Cmd: ['sh', '-c', `${script}; touch /tmp/ready; exec sleep 1000`], Labels: { ...TEST_LABELS, ...ENABLED }, HostConfig: { Init: true }, ...(user === undefined ? {} : { User: user }), abortSignal: signal })
    await container.start({ abortSignal: signal })
    return container
  }, { timeoutMs: 60_000 })
  await until(async () => (await get(id, '/tmp/ready')).status === 200)
  return id
}

async function get (id: string, path: string, { accept = '*/*', method = 'GET' }: Options = {}): Promise<Response> {
  return await fetch(`${url}/containers/${id}/files?path=${encodeURIComponent(path)}`, { method, headers: { accept } })
}

async function put (id: string, path: string, body: Buffer | string | ReadableStream, { type = 'application/octet-stream', query = '' } = {}) {
  const response = await fetch(`${url}/containers/${id}/files?path=${encodeURIComponent(path)}${query}`, { method: 'PUT', headers: { 'content-type': type }, body, duplex: 'half' } as RequestInit)
  return { status: response.status, body: await response.json() as WrittenFiles & Problem }
}

async function list (id: string, path: string): Promise<FileListing> {
  return await (await get(id, path, { accept: 'application/json' })).json() as FileListing
}

async function archiveOf (entries: Array<Partial<Header> & { name: string, content?: string | Buffer }>): Promise<Buffer> {
  const tar = pack()
  for (const { content = '', ...header } of entries) tar.entry(header, content as string)
  tar.finalize()
  return await buffer(tar as AsyncIterable<Buffer>)
}

function putTar (id: string, path: string, body: Buffer | ReadableStream) {
  return put(id, path, body, { type: 'application/x-tar' })
}

/** Where a file stands in a listing, and whose it is, as the container sees it. */
async function statInside (id: string, path: string): Promise<string> {
  const response = await fetch(`${url}/containers/${id}/exec`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ command: ['stat', '-c', '%u:%g %a', path], user: '0' }) })
  return (await response.json() as { stdout: string }).stdout.trim()
}

t.test('a file comes back as it was written, byte for byte, with its length, for keeping', async (t) => {
  const id = await start()
  const content = randomBytes(3_000_001)
  t.same(await put(id, '/tmp/data.bin', content), { status: 200, body: { path: '/tmp/data.bin', entries: 1, bytes: content.length } })
  const response = await get(id, '/tmp/data.bin')
  t.match(Object.fromEntries(response.headers), {
    'content-type': 'application/octet-stream', 'content-length': String(content.length), 'content-disposition': 'attachment; filename="data.bin"', 'x-file-type': 'file', 'x-file-mode': '0644', 'x-content-type-options': 'nosniff'
  })
  t.ok(Buffer.from(await response.arrayBuffer()).equals(content))
  const head = await get(id, '/tmp/data.bin', { method: 'HEAD' })
  t.equal(head.headers.get('content-length'), String(content.length))
  t.equal((await head.arrayBuffer()).byteLength, 0)

  await put(id, '/tmp/data.bin', 'shorter', { query: '&mode=0750' })
  t.equal(await (await get(id, '/tmp/data.bin')).text(), 'shorter', 'a file that is there is replaced')
  t.equal(await statInside(id, '/tmp/data.bin'), '0:0 750')
  await put(id, '/tmp/empty', '')
  t.equal((await get(id, '/tmp/empty')).headers.get('content-length'), '0')
})

t.test('bodies of any type are files, and what a page could run is only ever kept', async (t) => {
  const id = await start()
  for (const [name, type, answered] of [['a.json', 'application/json', 'application/json'], ['b.html', 'text/html', 'text/html; charset=utf-8'], ['c d"ü.svg', 'application/x-www-form-urlencoded', 'image/svg+xml']] as const) {
    t.equal((await put(id, `/tmp/${name}`, '{not json', { type })).status, 200, name)
    const { headers } = await get(id, `/tmp/${name}`)
    t.equal(headers.get('content-type'), answered)
    t.match(headers.get('content-disposition'), /^attachment; /)
    t.match(headers.get('content-security-policy'), /default-src 'none'/)
  }
  t.equal((await get(id, '/tmp/c d"ü.svg')).headers.get('content-disposition'), 'attachment; filename="c d__.svg"; filename*=UTF-8\'\'c%20d%22%C3%BC.svg')
})

t.test('a folder comes as a tar, and a tar is unpacked into a folder', async (t) => {
  const id = await start('mkdir -p /data/old; echo kept > /data/old/file')
  const big = randomBytes(1_000_000)
  const archive = await archiveOf([
    { name: './', type: 'directory', mode: 0o700 },
    { name: 'old/new.txt', content: 'new' },
    { name: 'sub/', type: 'directory', mode: 0o4755 },
    { name: 'sub/big', mode: 0o4755, uid: 5, content: big },
    { name: 'sub/link', type: 'symlink', linkname: '../old/file' },
    { name: 'sub/same', type: 'link', linkname: 'sub/big' }
  ])
  t.match(await putTar(id, '/data', archive), { status: 200, body: { path: '/data', entries: 5, bytes: 1_000_003 } })
  t.equal(await statInside(id, '/data'), '0:0 755', 'the folder itself stays as it is')
  t.equal(await statInside(id, '/data/sub/big'), '0:0 755', 'nobody else\'s, and no set-user-id')
  t.equal(await (await get(id, '/data/old/file')).text(), 'kept\n')
  t.equal(await (await get(id, '/data/sub/link')).text(), 'kept\n', 'links are followed')

  const response = await get(id, '/data')
  t.match(Object.fromEntries(response.headers), { 'content-type': 'application/x-tar', 'content-disposition': 'attachment; filename="data.tar"', 'x-file-type': 'directory' })
  const tar = extract()
  tar.end(Buffer.from(await response.arrayBuffer()))
  const names: string[] = []
  for await (const entry of tar) {
    names.push(`${entry.header.type} ${entry.header.name}`)
    if (entry.header.name === 'data/sub/big') t.ok((await buffer(entry as AsyncIterable<Buffer>)).equals(big))
    else entry.resume()
  }
  t.same(names, ['directory data/', 'directory data/old/', 'file data/old/file', 'file data/old/new.txt', 'directory data/sub/', 'file data/sub/big', 'symlink data/sub/link', 'link data/sub/same'])
  t.equal((await get(id, '/data/old/file', { accept: 'application/x-tar' })).headers.get('content-disposition'), 'attachment; filename="file.tar"')
})

t.test('a listing tells what is directly in a folder', async (t) => {
  const id = await start('mkdir -p /data/sub/deep; echo hello > /data/a.txt; chmod 640 /data/a.txt; ln /data/a.txt /data/hard; ln -s /etc/hosts /data/link; mkfifo /data/pipe; ln -s /data /short')
  const listing = await list(id, '/data')
  t.match(listing, { path: '/data', name: 'data', type: 'directory', mode: '0755', truncated: false })
  t.same(listing.entries.map(({ mtime, ...entry }: FileEntry) => entry), [
    { name: 'a.txt', type: 'file', size: 6, mode: '0640', link_target: null },
    { name: 'hard', type: 'file', size: 6, mode: '0640', link_target: null },
    { name: 'link', type: 'symlink', size: 0, mode: '0777', link_target: '/etc/hosts' },
    { name: 'pipe', type: 'fifo', size: 0, mode: '0644', link_target: null },
    { name: 'sub', type: 'directory', size: 0, mode: '0755', link_target: null }
  ])
  t.match(await list(id, '/short'), { path: '/data', name: 'data' })
  t.match((await list(id, '/')).entries.map(({ name }) => name), ['.dockerenv', 'bin', 'data'])
  t.match(await list(id, '/data/a.txt'), { type: 'file', size: 6, entries: [] })
  t.match(await list(id, '/data/pipe'), { type: 'fifo' })
  const pipe = await get(id, '/data/pipe')
  t.match({ status: pipe.status, body: await pipe.json() }, { status: 400, body: { code: 'not_a_file' } })
})

t.test('what is written belongs to the user that the container runs as', async (t) => {
  const passwd = 'root:x:0:0::/:/bin/sh\napp:x:1234:1235::/:/bin/sh\n'
  for (const [user, owner] of [['1000:2000', '1000:2000'], ['1000', '1000:0'], ['1000670000:0', '1000670000:0'], ['app', '1234:1235'], ['app:4', '1234:4'], ['1234', '1234:1235'], ['app:staff', '1234:50']] as const) {
    const id = await engine.call('test.create', async (docker, signal) => {
      const container = await docker.createContainer({ Image: image, Cmd: ['sleep', '1000'], User: user, Labels: { ...TEST_LABELS, ...ENABLED }, HostConfig: { Init: true }, abortSignal: signal })
      await container.putArchive(await archiveOf([{ name: 'etc/passwd', content: passwd }, { name: 'etc/group', content: 'root:x:0:\nstaff:x:50:\n' }]), { path: '/', abortSignal: signal })
      await container.start({ abortSignal: signal })
      return container.id
    }, { timeoutMs: 60_000 })
    t.equal((await put(id, '/tmp/file', 'x')).status, 200, user)
    t.equal(await statInside(id, '/tmp/file'), `${owner} 644`, user)
    t.equal((await putTar(id, '/tmp', await archiveOf([{ name: 'd/', type: 'directory' }, { name: 'd/f', content: 'x', uid: 3 }]))).status, 200)
    t.equal(await statInside(id, '/tmp/d/f'), `${owner} 644`, user)
  }
})

t.test('a container that does not run is read and written too', async (t) => {
  const id = await start()
  await engine.call('test.stop', (docker, abortSignal) => docker.getContainer(id).stop({ t: 0, abortSignal }))
  t.equal((await put(id, '/tmp/later', 'later')).status, 200)
  t.equal(await (await get(id, '/tmp/later')).text(), 'later')
})

t.test('wrong paths and what is not there are told as such', async (t) => {
  const id = await start('mkdir /data; touch /data/file')
  for (const [path, status, code] of [
    ['etc', 400, 'invalid_request'], ['', 400, 'invalid_request'], ['/etc/../etc', 400, 'invalid_request'], ['/a\u0000b', 400, 'invalid_request'], ['/nothing', 404, 'path_not_found'], ['/data/file/x', 404, 'path_not_found']
  ] as const) {
    const response = await get(id, path)
    t.match({ status: response.status, body: await response.json() }, { status, body: { code } }, path)
    t.match(await put(id, path === '/nothing' ? '/nothing/x' : path, 'x'), { status: path === '/data/file/x' ? 400 : status, body: { code: path === '/data/file/x' ? 'not_a_folder' : code } }, `PUT ${path}`)
  }
  t.match(await put(id, '/', 'x'), { status: 400, body: { errors: [{ pointer: '/path' }] } })
  t.match(await put(id, '/data', 'x'), { status: 409, body: { code: 'path_conflict' } })
  t.match(await putTar(id, '/data/file', await archiveOf([{ name: 'a' }])), { status: 400, body: { code: 'not_a_folder' } })
  t.match(await putTar(id, '/data', await archiveOf([{ name: 'file/', type: 'directory' }])), { status: 409, body: { code: 'path_conflict' } })
  t.match(await put(id, '/data/file', 'x', { query: '&mode=999' }), { status: 400, body: { errors: [{ where: 'query', pointer: '/mode' }] } })
  t.equal((await get(id, '/data/file', { accept: 'image/png' })).status, 406)
  t.equal((await get(randomUUID(), '/data')).status, 404)
  const { id: foreign } = await startTestContainer(engine, { image, command: ['sleep', '1000'] })
  t.equal((await get(foreign, '/etc')).status, 404, 'out of scope')
  t.equal((await put(foreign, '/tmp/x', 'x')).status, 404, 'out of scope')
})

t.test('S27: archives that would write elsewhere are refused, and nothing is written there', async (t) => {
  const id = await start('mkdir -p /data /outside')
  for (const entries of [
    [{ name: 'good', content: 'x' }, { name: '../outside/x', content: 'x' }], [{ name: '/outside/x', content: 'x' }], [{ name: 'l', type: 'symlink', linkname: '/outside' }, { name: 'l/x', content: 'x' }],
    [{ name: 'l', type: 'symlink', linkname: '../outside' }], [{ name: 'h', type: 'link', linkname: '../etc/passwd' }], [{ name: 'dev', type: 'character-device', devmajor: 1, devminor: 5 }]
  ] as Array<Array<Partial<Header> & { name: string, content?: string }>>) {
    t.match(await putTar(id, '/data', await archiveOf(entries)), { status: 400, body: { code: 'invalid_request', errors: [{ where: 'body' }] } }, entries[0]!.name)
  }
  t.same((await list(id, '/outside')).entries, [])
  t.same((await list(id, '/data')).entries, [])
})

t.test('S27: a link that is in the container cannot lead out of it, and is not written through', async (t) => {
  const id = await start('ln -s /../../../../../../tmp/marker /escape; ln -s /tmp /tmp-link; echo old > /tmp/real; ln -s /tmp/real /data-link')
  const response = await get(id, '/escape')
  t.equal(response.status, 404, 'read within the container, where there is none')
  await put(id, '/data-link', 'new')
  t.equal(await (await get(id, '/tmp/real')).text(), 'old\n', 'the link was replaced')
  t.equal((await put(id, '/tmp-link/inside', 'x')).status, 200, 'a folder is followed')
  t.equal(await (await get(id, '/tmp/inside')).text(), 'x')
})

t.test('more than DOCKAPI_MAX_UPLOAD is refused, whether its length is told or not', async (t) => {
  const id = await start()
  t.match(await put(id, '/tmp/large', Buffer.alloc(MAX_UPLOAD + 1)), { status: 413, body: { code: 'body_too_large', hint: /DOCKAPI_MAX_UPLOAD/ } })
  t.equal((await put(id, '/tmp/large', Buffer.alloc(MAX_UPLOAD))).status, 200)
  const endless = new ReadableStream({ pull: (controller) => { controller.enqueue(new Uint8Array(65536)) } })
  t.match(await put(id, '/tmp/stream', endless), { status: 413, body: { code: 'body_too_large' } })
  const chunked = new ReadableStream({ start (controller) { controller.enqueue(Buffer.from('of no told length')); controller.close() } })
  t.match(await put(id, '/tmp/stream', chunked), { status: 200, body: { bytes: 17 } })
  const archive = await archiveOf([{ name: 'large', content: Buffer.alloc(MAX_UPLOAD) }])
  t.match(await putTar(id, '/tmp', archive), { status: 413, body: { code: 'body_too_large' } })
})

t.test('a read-only root and a full disk are told as such', async (t) => {
  const { id } = await startTestContainer(engine, { image, command: ['sleep', '1000'], labels: ENABLED, hostConfig: { ReadonlyRootfs: true } })
  t.match(await put(id, '/tmp/x', Buffer.alloc(MAX_UPLOAD)), { status: 409, body: { code: 'read_only' } })

  const volume = `dockapi-test-${randomUUID()}`
  await engine.call('test.volume', (docker, abortSignal) => docker.createVolume({ Name: volume, Driver: 'local', DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' }, Labels: { ...TEST_LABELS }, abortSignal }))
  const { id: small } = await startTestContainer(engine, { image, command: ['sleep', '1000'], labels: ENABLED, hostConfig: { Binds: [`${volume}:/small`] } })
  t.match(await put(small, '/small/x', Buffer.alloc(2 * 1024 ** 2, 1)), { status: 500, body: { code: 'disk_full', detail: /no space left/, hint: /where "\/small" is.*in part/ } })
  t.match(await put(small, '/small/x', 'less'), { status: 200, body: { bytes: 4 } }, 'the part gives its room back when the file is written anew')
})

t.test('a client that stalls or leaves holds nobody up, and nothing is written', async (t) => {
  const id = await start()
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(`PUT /containers/${id}/files?path=/tmp/half HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-length: 1000000\r\n\r\n${'x'.repeat(500_000)}`)
  t.equal((await put(id, '/tmp/whole', 'x')).status, 200, 'an upload that stalls holds nobody up')
  t.equal((await fetch(`${url}/containers/${id}`)).status, 200)
  await put(id, '/tmp/large', randomBytes(MAX_UPLOAD))
  const reader = connect(Number(port), '127.0.0.1')
  reader.write(`GET /containers/${id}/files?path=/tmp/large HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`)
  await new Promise((resolve) => reader.once('readable', resolve))
  t.equal((await put(id, '/tmp/whole', 'y')).status, 200, 'nor does a reader who does not read on')
  reader.destroy()
  socket.destroy()
  t.equal((await get(id, '/tmp/half', { method: 'HEAD' })).status, 404)
})

t.end()
