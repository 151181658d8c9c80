import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request as startRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { residentBytes, startNode } from './support/processes.ts'

/**
 * One GiB down and one GiB up through `/proxy/{id}/` with a receiver that stalls at first and then reads in small helpings:
 * `node bench/stream.ts [MEBIBYTES]`. The bytes have to arrive unchanged and the memory of the proxy must not grow with them.
 */
const MebiByte = 1024 ** 2
const MAX_GROWTH = 64 * MebiByte
const count = Number(process.argv[2] ?? 1024)
const piece = randomBytes(MebiByte)
const expected = await hashOf(source())

const upstream = createServer((request, response) => {
  if (request.method === 'GET') source().pipe(response)
  else slowly(request).then((hash) => { response.end(hash) }, () => { response.destroy() })
})
upstream.listen(0, '127.0.0.1')
await once(upstream, 'listening')
const { child, port } = await startNode(0, './proxy-server.ts', String((upstream.address() as AddressInfo).port))

// V8 lets some 64 MiB of freed buffers pile up before it collects them, however little is kept; that allowance is not growth.
await once((await open()).resume(), 'end')
let isGood = true
for (const [name, run] of [['down', download], ['up', upload]] as const) {
  const { growth, result: hash } = await watch(run)
  const isEqual = hash === expected
  isGood &&= isEqual && growth < MAX_GROWTH
  console.log(`${name.padEnd(5)} ${count} MiB  memory +${(growth / MebiByte).toFixed(1)} MiB  bytes ${isEqual ? 'equal' : 'DIFFERENT'}`)
}
process.exit(isGood ? 0 : 1)

function source (): Readable {
  return Readable.from((function * () { for (let index = 0; index < count; index++) yield piece })(), { objectMode: false })
}

async function hashOf (stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of stream) hash.update(bytes)
  return hash.digest('hex')
}

/** Reads nothing for a while, then a helping at a time. */
async function slowly (stream: AsyncIterable<Buffer>): Promise<string> {
  async function * helpings () {
    await sleep(2000)
    let length = 0
    for await (const bytes of stream) {
      yield bytes
      length += bytes.length
      if (length < 32 * MebiByte) continue
      length = 0
      await sleep(50)
    }
  }
  return await hashOf(helpings())
}

async function download (): Promise<string> {
  return await slowly(await open())
}

async function open (): Promise<IncomingMessage> {
  const [response] = await once(startRequest({ port, host: '127.0.0.1', path: '/proxy/web/' }).end(), 'response') as [IncomingMessage]
  return response
}

async function upload (): Promise<string> {
  const request = startRequest({ port, host: '127.0.0.1', path: '/proxy/web/', method: 'PUT' })
  source().pipe(request)
  const [response] = await once(request, 'response')
  return Buffer.concat(await response.toArray()).toString()
}

/** How much more memory the proxy had at its peak than before. */
async function watch<T> (run: () => Promise<T>): Promise<{ growth: number, result: T }> {
  const before = residentBytes(child.pid!)
  let peak = before
  const timer = setInterval(() => { peak = Math.max(peak, residentBytes(child.pid!)) }, 50)
  const result = await run()
  clearInterval(timer)
  return { growth: peak - before, result }
}
