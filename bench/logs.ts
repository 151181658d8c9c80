/**
 * Logs that are followed: how much memory it costs when a reader stops while its container prints as fast as it can, how late a line comes
 * to many followers, and how fast a log comes, against `docker logs -f`. Needs an engine and the docker CLI; leaves nothing behind.
 *
 *     node bench/logs.ts [MEBIBYTES] [followers]
 */
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { request as startRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { removeContainer } from '../src/engine/containers.ts'
import { TEST_RUN, busyboxImage, engineFromEnvironment, removeTestResources, startTestContainer } from '../test/support/engine.ts'
import { residentBytes } from './support/processes.ts'

const MebiByte = 1024 ** 2
const mebibytes = Number(process.argv[2] ?? 32)
const followers = Number(process.argv[3] ?? 100)
const ROUNDS = 5
const LINES = 200
const FLOOD_MS = 10_000
/** A line of a hundred bytes. */
const FILLING = 'x'.repeat(90)
const labels = { 'dockapi.enable': 'true' }

const engine = engineFromEnvironment()
const image = await busyboxImage(engine)
const server = fork(new URL('./support/api-server.ts', import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })

try {
  const [port] = await once(server, 'message') as [number]
  const api = `http://127.0.0.1:${port}`
  await stopReading(api)
  await measureLatency(api)
  await compareThroughput(api)
} finally {
  await removeTestResources(engine, TEST_RUN)
  server.disconnect()
  await once(server, 'exit')
  await engine.close()
}

/** The whole of a log that is there already, followed until its last line. */
async function compareThroughput (api: string) {
  const count = Math.round(mebibytes * MebiByte / 98)
  const { id } = await startTestContainer(engine, { image, labels, command: ['sh', '-c', `seq 1000000 ${1_000_000 + count - 1} | sed "s/$/ ${FILLING}/"; echo end; sleep 600`] })
  await timeDocker(id)
  const ways = {
    'docker logs -f': () => timeDocker(id),
    'as text': () => timeFetch(`${api}/containers/${id}/logs?follow=true&tail=all`, 'text/plain', '\nend\n'),
    'as NDJSON': () => timeFetch(`${api}/containers/${id}/logs?follow=true&tail=all`, 'application/x-ndjson', '"line":"end"')
  }
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, [] as number[]]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, run] of round % 2 === 0 ? Object.entries(ways) : Object.entries(ways).reverse()) times[name]!.push(await run())
  }
  const docker = median(times['docker logs -f']!)
  for (const [name, all] of Object.entries(times)) {
    console.log(`follow ${mebibytes} MiB ${name.padEnd(15)} ${(mebibytes / median(all) * 1000).toFixed(1)} MiB/s, ${(docker / median(all)).toFixed(2)} x docker logs -f (median of ${ROUNDS})`)
  }
  await removeContainer(engine, id, { isForced: true, withVolumes: true })
}

async function timeDocker (id: string): Promise<number> {
  const startMs = performance.now()
  const child = spawn('docker', ['logs', '-f', id], { stdio: ['ignore', 'pipe', 'inherit'] })
  await readUntil(child.stdout, '\nend\n')
  const tookMs = performance.now() - startMs
  child.kill('SIGKILL')
  return tookMs
}

async function timeFetch (url: string, accept: string, last: string): Promise<number> {
  const startMs = performance.now()
  const response = await open(url, accept)
  await readUntil(response, last)
  const tookMs = performance.now() - startMs
  response.destroy()
  return tookMs
}

async function readUntil (stream: AsyncIterable<Buffer>, last: string) {
  let end = ''
  for await (const bytes of stream) {
    end = (end + bytes.toString('latin1', Math.max(bytes.length - 200, 0))).slice(-200)
    if (end.includes(last)) return
  }
  throw new Error('The log ended early.')
}

async function open (url: string, accept: string): Promise<IncomingMessage> {
  const [response] = await once(startRequest(url, { headers: { accept }, agent: false }).end(), 'response') as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`${url} answered ${response.statusCode}.`)
  return response
}

/** One reader that reads nothing, another beside it that does, and a container that prints as fast as the engine takes it. */
async function stopReading (api: string) {
  for (const [name, others] of [['alone', 0], ['beside one that reads', 1]] as const) {
    const { id } = await startTestContainer(engine, { image, labels, command: ['sh', '-c', `yes ${FILLING}`], hostConfig: { LogConfig: { Type: 'json-file', Config: { 'max-size': '64m', 'max-file': '2' } } } })
    const url = `${api}/containers/${id}/logs?follow=true&tail=0`
    const before = residentBytes(server.pid!)
    const stopped = await open(url, 'application/x-ndjson')
    const reading = await Promise.all(Array.from({ length: others }, () => open(url, 'application/x-ndjson')))
    let bytes = 0
    for (const response of reading) response.on('data', (chunk: Buffer) => { bytes += chunk.length })
    let peak = before
    const timer = setInterval(() => { peak = Math.max(peak, residentBytes(server.pid!)) }, 50)
    await sleep(FLOOD_MS)
    clearInterval(timer)
    const read = others === 0 ? '' : `, the other read ${(bytes / MebiByte).toFixed(0)} MiB`
    console.log(`stopped reader ${name}: ${(before / MebiByte).toFixed(0)} MiB before, at most ${(peak / MebiByte).toFixed(0)} MiB in ${FLOOD_MS / 1000} s${read}`)
    for (const response of [stopped, ...reading]) response.destroy()
    await removeContainer(engine, id, { isForced: true, withVolumes: true })
  }
}

/** From the write to each of many followers; the container's clock is this machine's. */
async function measureLatency (api: string) {
  const { id } = await startTestContainer(engine, { image, labels, command: ['sh', '-c', `sleep 3; i=0; while [ $i -lt ${LINES} ]; do echo tick $i; i=$((i+1)); sleep 0.03; done; sleep 600`] })
  const latencies: number[] = []
  const all = await Promise.all(Array.from({ length: followers }, () => open(`${api}/containers/${id}/logs?follow=true&tail=0`, 'application/x-ndjson')))
  server.send('open')
  const [streams] = await once(server, 'message') as [number]
  await Promise.all(all.map(async (response) => {
    let count = 0
    for await (const line of createInterface({ input: response })) {
      latencies.push(performance.timeOrigin + performance.now() - Date.parse((JSON.parse(line) as { time: string }).time))
      if (++count === LINES) break
    }
    response.destroy()
    if (count !== LINES) throw new Error(`A follower got ${count} of ${LINES} lines.`)
  }))
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)]!.toFixed(1)
  console.log(`${followers} followers, ${LINES} lines each, none missed: ${streams} stream of the engine, latency median ${at(0.5)} ms, p99 ${at(0.99)} ms`)
}

function median (values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
