import { Agent, request as sendRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import WebSocket from 'ws'
import { TEST_LABELS, TEST_RUN, engineFromEnvironment, nodeImage, removeTestResources, startTestContainer } from '../test/support/engine.ts'
import { until } from '../test/support/until.ts'
import { percentile } from './support/gateway-app.ts'
import { oneGet } from './support/one-get.ts'
import { startNode } from './support/processes.ts'

/**
 * Whether open streams to a container are in the way of plain requests to it, and what an idle WebSocket costs in memory:
 * `node bench/streams-open.ts [SSE] [WEBSOCKETS] [IDLE]`. The gateway is a process of its own, and
 * each WebSocket takes two of the files that it may have open.
 */
const [events = 300, sockets = 300, idle = 9_000] = process.argv.slice(2).map(Number)
const ROUNDS = 5
const GETS_PER_ROUND = 400
const OPENED_AT_ONCE = 50
const SETTLE_MS = 3_000
const GATEWAY_CORE = 0
const NAME = `streams${process.pid}`
const HOST = `${NAME}.localhost`
/** `/events` sends a line a second, an upgrade is accepted and kept, everything else is answered at once. */
const APPLICATION = `
const server = require('http').createServer((request, response) => {
  if (request.url !== '/events') return response.end('small')
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const timer = setInterval(() => response.write('data: x\\n\\n'), 1000)
  response.on('close', () => clearInterval(timer))
}).listen(8080)
server.on('upgrade', (request, socket) => {
  const accept = require('crypto').createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
  socket.on('error', () => {}).on('end', () => socket.end()).resume()
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n')
})`

const engine = engineFromEnvironment()
try {
  await startTestContainer(engine, {
    image: await nodeImage(engine), name: NAME, command: ['node', '-e', APPLICATION], labels: { ...TEST_LABELS, 'dockapi.enable': 'true', 'dockapi.port': '8080' }
  })
  await comparePlainRequests()
  await measureIdle()
} finally {
  await removeTestResources(engine, TEST_RUN)
  await engine.close()
}
process.exit()

/** Rounds without and with the streams by turns, so that a busy machine is in both. */
async function comparePlainRequests () {
  const { port } = await startNode(GATEWAY_CORE, './gateway-server.ts')
  await until(async () => (await oneGet(port, HOST)).body === 'small')
  const quiet: number[] = []
  const busy: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    quiet.push(...await timeGets(port))
    const streams = await openTogether(events, () => openEvents(port))
    const upgraded = await openTogether(sockets, () => openSocket(port))
    busy.push(...await timeGets(port))
    for (const stream of streams) stream.destroy()
    for (const socket of upgraded) socket.terminate()
    await delay(SETTLE_MS / ROUNDS)
  }
  for (const [what, times] of [['alone', quiet], [`${events} SSE and ${sockets} WebSocket streams open`, busy]] as const) {
    console.log(`GET, ${what}: median ${percentile(times, 0.5).toFixed(2)} ms, p99 ${percentile(times, 0.99).toFixed(2)} ms, ${times.length} times`)
  }
}

async function timeGets (port: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const times: number[] = []
  for (let count = 0; count < GETS_PER_ROUND; count++) {
    const startedAt = performance.now()
    const { status } = await oneGet(port, HOST, agent)
    if (status !== 200) throw new Error(`A plain request got ${status}.`)
    times.push(performance.now() - startedAt)
  }
  agent.destroy()
  return times
}

/** From a tenth of them on, so that what the process made at first and has not freed yet does not hide what they cost. */
async function measureIdle () {
  const { child, port } = await startNode(GATEWAY_CORE, './gateway-server.ts')
  await until(async () => (await oneGet(port, HOST)).body === 'small')
  const few = await openTogether(idle / 10, () => openSocket(port))
  await delay(SETTLE_MS)
  const before = await residentKiB(child.pid!)
  const more = await openTogether(idle - few.length, () => openSocket(port))
  await delay(SETTLE_MS)
  const after = await residentKiB(child.pid!)
  if (![...few, ...more].every(({ readyState }) => readyState === WebSocket.OPEN)) throw new Error('Not every WebSocket stayed open.')
  console.log(`idle WebSockets, ${few.length} to ${few.length + more.length}: ${(before / 1024).toFixed(0)} to ${(after / 1024).toFixed(0)} MiB resident, ${((after - before) / more.length).toFixed(1)} KiB each`)
}

async function openTogether<T> (count: number, open: () => Promise<T>): Promise<T[]> {
  const opened: T[] = []
  while (opened.length < count) opened.push(...await Promise.all(Array.from({ length: Math.min(OPENED_AT_ONCE, count - opened.length) }, open)))
  return opened
}

function openEvents (port: number): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  sendRequest({ host: '127.0.0.1', port, path: '/events', headers: { host: HOST } }, (answer) => { resolve(answer.on('error', () => {}).resume()) }).on('error', reject).end()
  return promise
}

function openSocket (port: number): Promise<WebSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>()
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: HOST }, perMessageDeflate: false })
  socket.once('open', () => { resolve(socket) }).on('error', reject)
  return promise
}

async function residentKiB (pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1])
}
