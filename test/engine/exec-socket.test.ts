import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import type { Test } from 'tap'
import type { RunResult } from '../../schemas/containers.ts'
import type { ExecInfo, ExecResult } from '../../schemas/exec.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine } from '../support/engine.ts'
import { openSocket, refusedSocket } from '../support/socket-client.ts'
import type { SocketClient } from '../support/socket-client.ts'
import { until } from '../support/until.ts'

const MebiByte = 1024 ** 2
const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { app, url } = await listenTestApp(t)
const api = createClient(url)
const { body: { id } } = await api.run<RunResult>({ image, container_port: 80, command: ['sleep', '600'] })
const processes = async () => (await api.post<ExecResult>(`/containers/${id}/exec`, { command: 'ps -o args' })).body.stdout
const list = async () => (await api.get<ExecInfo[]>(`/containers/${id}/execs`)).body

function pathOf (command: string[], query: Record<string, string | string[]> = {}): string {
  const parameters = new URLSearchParams(command.map((word): [string, string] => ['command', word]))
  for (const [name, values] of Object.entries(query)) for (const value of [values].flat()) parameters.append(name, value)
  return `${url}/containers/${id}/exec?${parameters}`
}

const open = (t: Test, command: string[], query?: Record<string, string | string[]>, protocols?: string[]) => openSocket(t, pathOf(command, query), protocols === undefined ? {} : { protocols })

type Said = { controls: Record<string, unknown>[], stdout: Buffer, stderr: Buffer }

/** Everything that the server says until it closes. */
async function readAll ({ next }: SocketClient): Promise<Said> {
  const controls: Record<string, unknown>[] = []
  const outputs: Record<number, Buffer[]> = { 1: [], 2: [] }
  for (let message = await next(); message !== undefined; message = await next()) {
    if (message.isBinary) outputs[message.bytes[0]!]!.push(message.bytes.subarray(1))
    else controls.push(JSON.parse(message.bytes.toString()) as Record<string, unknown>)
  }
  return { controls, stdout: Buffer.concat(outputs[1]!), stderr: Buffer.concat(outputs[2]!) }
}

/** Output until it holds a text. */
async function readUntil ({ next }: SocketClient, text: string): Promise<string> {
  let seen = ''
  for (let message = await next(); message !== undefined; message = await next()) {
    if (message.isBinary) seen += message.bytes.subarray(1).toString()
    if (seen.includes(text)) return seen
  }
  throw new Error(`Closed after: ${seen}`)
}

t.test('outputs, exit code and close code', async (t) => {
  for (const protocols of [undefined, ['dockapi.exec.v1']]) {
    const socket = await open(t, ['sh', '-c', 'echo out; echo err >&2; exit 3'], {}, protocols)
    t.equal(socket.ws.protocol, protocols?.[0] ?? '')
    const { controls, stdout, stderr } = await readAll(socket)
    t.match(controls, [{ type: 'started', exec_id: /^[0-9a-f]{64}$/ }, { type: 'exit', exit_code: 3, truncated: false }])
    t.equal(stdout.toString(), 'out\n')
    t.equal(stderr.toString(), 'err\n')
    t.same(await socket.closed(), { code: 1000, reason: '' })
  }
})

t.test('one string is split, environment, user and folder are set', async (t) => {
  const { stdout } = await readAll(await open(t, ['sh -c "echo $A; id -u; pwd"'], { env: ['A=b c', 'D=e'], user: '1000', workdir: '/tmp' }))
  t.equal(stdout.toString(), 'b c\n1000\n/tmp\n')
})

t.test('a MiB of input, then its end: all of it arrives and all comes back', async (t) => {
  const input = randomBytes(MebiByte)
  const count = await open(t, ['wc', '-c'])
  count.ws.send(input)
  count.ws.send('{"type":"eof"}')
  t.match(await readAll(count), { stdout: Buffer.from('1048576\n'), controls: [{}, { exit_code: 0 }] })

  const echo = await open(t, ['cat'])
  for (let offset = 0; offset < input.length; offset += 16_384) echo.ws.send(input.subarray(offset, offset + 16_384))
  echo.ws.send('{"type":"eof"}')
  const { stdout } = await readAll(echo)
  t.equal(createHash('sha256').update(stdout).digest('hex'), createHash('sha256').update(input).digest('hex'))
})

t.test('input that the command does not read is held back, not gathered', async (t) => {
  const socket = await open(t, ['sleep', '81'])
  const piece = Buffer.alloc(256 * 1024)
  let sent = 0
  while (socket.ws.bufferedAmount < 4 * MebiByte && sent < 64 * MebiByte) {
    socket.ws.send(piece)
    sent += piece.length
    await new Promise((resolve) => { setTimeout(resolve, 5) })
  }
  t.ok(sent < 16 * MebiByte, `${sent} bytes`)
  const leftAt = performance.now()
  socket.ws.terminate()
  await until(() => app.streams.open === 0)
  t.ok(performance.now() - leftAt < 5000)
})

t.test('a terminal: echo, size, a signal by its character, and the end of input', async (t) => {
  const socket = await open(t, ['sh'], { tty: 'true', cols: '100', rows: '30' })
  socket.ws.send(Buffer.from('stty size\n'))
  t.match(await readUntil(socket, '30 100'), /stty size/)
  socket.ws.send('{"type":"resize","cols":132,"rows":43}')
  await until(async () => {
    socket.ws.send(Buffer.from('stty size; echo d"on"e\n'))
    return (await readUntil(socket, 'done')).includes('43 132')
  })
  socket.ws.send(Buffer.from('sleep 82; echo interr"upted"\n'))
  await until(async () => /sleep 82/.test(await processes()))
  socket.ws.send(Buffer.of(3))
  socket.ws.send(Buffer.from('echo sti"ll"here\n'))
  await readUntil(socket, 'stillhere')
  socket.ws.send(Buffer.from('exit 7\n'))
  t.match((await readAll(socket)).controls, [{ type: 'exit', exit_code: 7 }])

  const cat = await open(t, ['cat'], { tty: 'true' })
  cat.ws.send(Buffer.from('line\n'))
  await readUntil(cat, 'line\r\nline')
  cat.ws.send('{"type":"eof"}')
  t.match((await readAll(cat)).controls, [{ type: 'exit', exit_code: 0 }])
})

t.test('signals', async (t) => {
  const socket = await open(t, ['sh', '-c', 'trap "echo caught" INT; echo ready; while :; do sleep 0.05; done'])
  await readUntil(socket, 'ready')
  socket.ws.send('{"type":"signal","name":"SIGINT"}')
  await readUntil(socket, 'caught')
  socket.ws.send('{"type":"signal","name":"KILL"}')
  t.match((await readAll(socket)).controls.at(-1), { type: 'exit', exit_code: 137 })
})

t.test('what is not understood is said, and the command goes on', async (t) => {
  const socket = await open(t, ['cat'])
  await socket.next()
  for (const text of ['nonsense', '[]', '{"type":"dance"}', '{"type":"resize","cols":0,"rows":1}', '{"type":"resize","cols":80,"rows":24}', '{"type":"signal","name":"SIGDANCE"}']) {
    socket.ws.send(text)
    t.match(await socket.nextJson(), { type: 'error', code: 'invalid_request', detail: /./ }, text)
  }
  socket.ws.send(Buffer.from('still here'))
  socket.ws.send('{"type":"eof"}')
  t.match(await readAll(socket), { stdout: Buffer.from('still here') })
})

t.test('without stdin the command sees the end at once; outputs can be left out or cut', async (t) => {
  t.match(await readAll(await open(t, ['wc', '-c'], { stdin: 'false' })), { stdout: Buffer.from('0\n') })
  const both = 'echo out; echo err >&2'
  t.match(await readAll(await open(t, ['sh', '-c', both], { stdout: 'false' })), { stdout: Buffer.alloc(0), stderr: Buffer.from('err\n') })
  const { stdout, controls } = await readAll(await open(t, ['sh', '-c', 'yes | head -c 3000000'], { max_output: '100000' }))
  t.equal(stdout.length, 100_000)
  t.match(controls.at(-1), { type: 'exit', exit_code: 0, truncated: true })
})

t.test('a timeout', async (t) => {
  const socket = await open(t, ['sleep', '83'], { timeout: '0.3' })
  const { controls } = await readAll(socket)
  t.match(controls.at(-1), { type: 'error', code: 'exec_timeout', ended: true, status: 504 })
  t.match(await socket.closed(), { code: 1011 })
  t.notMatch(await processes(), /sleep 83/)
})

t.test('a client that leaves ends its command, unless it said detach', async (t) => {
  for (const leave of ['close', 'terminate'] as const) {
    const socket = await open(t, ['sh', '-c', 'sleep 84'])
    await socket.next()
    socket.ws[leave]()
    await until(() => app.streams.open === 0)
    t.notMatch(await processes(), /sleep 84/)
  }
  const socket = await open(t, ['sh', '-c', 'while [ ! -e /tmp/over ]; do echo tick; sleep 0.05; done; exit 6'], { detach: 'true' })
  const { exec_id: execId } = (await socket.nextJson<{ exec_id: string }>())!
  socket.ws.close()
  await until(() => app.streams.open === 0)
  const find = async () => (await list()).find((info) => info.exec_id === execId)
  t.match(await find(), { running: true })
  await api.post(`/containers/${id}/exec`, { command: 'touch /tmp/over' })
  await until(async () => (await find())?.exit_code === 6)
})

t.test('as kubectl speaks it', async (t) => {
  const protocols = ['v5.channel.k8s.io']
  const socket = await openSocket(t, pathOf(['sh', '-c', 'wc -c; echo err >&2; exit 2'], { stdin: 'true', stdout: 'true', stderr: 'true' }), { protocols })
  t.equal(socket.ws.protocol, 'v5.channel.k8s.io')
  t.same((await socket.next())!.bytes, Buffer.of(1))
  socket.ws.send(Buffer.concat([Buffer.of(0), Buffer.alloc(MebiByte - 1)]))
  socket.ws.send(Buffer.of(0, 65))
  socket.ws.send(Buffer.of(255, 0))
  const channels: Record<number, string> = {}
  for (let message = await socket.next(); message !== undefined; message = await socket.next()) channels[message.bytes[0]!] = (channels[message.bytes[0]!] ?? '') + message.bytes.subarray(1).toString()
  t.equal(channels[1], '1048576\n')
  t.equal(channels[2], 'err\n')
  t.match(JSON.parse(channels[3]!), { kind: 'Status', status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: '2' }] } })
  t.match(await socket.closed(), { code: 1000 })

  const good = await openSocket(t, pathOf(['true']), { protocols })
  await good.next()
  const { bytes } = (await good.next())!
  t.equal(bytes[0], 3)
  t.match(JSON.parse(bytes.subarray(1).toString()), { status: 'Success' })

  const terminal = await openSocket(t, pathOf(['sh'], { tty: 'true' }), { protocols })
  await terminal.next()
  terminal.ws.send(Buffer.concat([Buffer.of(4), Buffer.from('{"Width":111,"Height":22}')]))
  await until(async () => {
    terminal.ws.send(Buffer.concat([Buffer.of(0), Buffer.from('stty size; echo d"on"e\n')]))
    return (await readUntil(terminal, 'done')).includes('22 111')
  })
})

t.test('what cannot be had is refused before the switch', async (t) => {
  const before = (await list()).length
  t.match(await refusedSocket(t, `${url}/containers/nobody/exec?command=ls`), { status: 404, body: { code: 'container_not_found' } })
  t.match(await refusedSocket(t, `${url}/containers/${id}/exec`), { status: 400, body: { errors: [{ where: 'query' }] } })
  t.match(await refusedSocket(t, pathOf(['ls'], { cols: '80' })), { status: 400, body: { errors: [{ pointer: '/rows' }] } })
  t.match(await refusedSocket(t, pathOf(['"open'])), { status: 400, body: { errors: [{ where: 'query', pointer: '/command' }] } })
  t.match(await refusedSocket(t, pathOf(['ls'], { env: '1A=b' })), { status: 400 })
  t.match(await refusedSocket(t, pathOf(['ls']), { protocols: ['v4.base64.channel.k8s.io'] }), { status: 400, body: { errors: [{ where: 'header', pointer: '/sec-websocket-protocol' }] } })
  for (const origin of ['https://evil.example', 'null']) t.match(await refusedSocket(t, pathOf(['ls']), { origin }), { status: 403, body: { code: 'origin_not_allowed' } })
  const plain = await fetch(pathOf(['ls']))
  t.equal(plain.status, 426)
  t.equal(plain.headers.get('upgrade'), 'websocket')
  t.match(await plain.json(), { code: 'websocket_required' })
  t.equal((await list()).length, before, 'nothing was run')

  const { body: { id: stopped } } = await api.run<RunResult>({ image, container_port: 80, command: ['true'] })
  await api.post(`/containers/${stopped}/wait`)
  t.match(await refusedSocket(t, `${url}/containers/${stopped}/exec?command=ls`), { status: 409, body: { code: 'container_not_running' } })
})

t.test('a program that is not there is a result', async (t) => {
  t.match((await readAll(await open(t, ['no-such-program']))).controls.at(-1), { type: 'exit', exit_code: /12[67]/ })
})

t.test('a container that ends takes its commands along', async (t) => {
  const { body: { id: other } } = await api.run<RunResult>({ image, container_port: 80, command: ['sleep', '600'] })
  const socket = await openSocket(t, `${url}/containers/${other}/exec?command=cat`)
  await socket.next()
  await api.delete(`/containers/${other}?force=true`)
  t.match((await readAll(socket)).controls.at(-1), { type: /exit|error/ })
})

t.test('a shutdown ends commands and says so', async (t) => {
  const { app: other, url: otherUrl } = await listenTestApp(t)
  const socket = await openSocket(t, `${otherUrl}/containers/${id}/exec?command=sleep&command=85`)
  await socket.next()
  const closing = other.close()
  t.match((await readAll(socket)).controls, [{ type: 'error', code: 'shutting_down' }])
  t.match(await socket.closed(), { code: 1001 })
  await closing
  t.notMatch(await processes(), /sleep 85/)
})

t.end()
