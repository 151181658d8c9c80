import { execFileSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuSeconds, findTool, start, startNode } from './support/processes.ts'

/**
 * CPU time of a proxy per small GET, beside its peers: `node bench/proxy.ts [ROUNDS] [SECONDS]`. The proxies run on core 0, load and
 * upstream on core 1, in many short interleaved rounds; machines differ and are shared, so only the ratios mean anything.
 * The gateway needs an engine.
 */
type Contender = { name: string, port: number, pid: number, path: string }

const PROXY_CORE = 0
const LOAD_CORE = 1
const [rounds = 15, seconds = 1] = process.argv.slice(2).map(Number)

const wrk = findTool('wrk')
if (wrk === undefined || findTool('taskset') === undefined) {
  console.log('wrk or taskset is not installed: nothing measured.')
  process.exit(0)
}
const folder = mkdtempSync(join(tmpdir(), 'dockapi-bench-'))
const upstream = await startNode(LOAD_CORE, './upstream-server.ts')
const contenders = [await gateway(), await dockapi(), await httpProxyAlone(), await caddy(), await nginx()].filter((each) => each !== undefined)
for (const contender of contenders) await prove(contender)

const costs = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
for (const contender of contenders) measure(contender, 2)
for (let round = 0; round < rounds; round++) {
  for (const contender of contenders) costs.get(contender.name)!.push(measure(contender, seconds))
}
report()
rmSync(folder, { recursive: true })
process.exit(0)

async function gateway (): Promise<Contender | undefined> {
  try {
    const { child, port } = await startNode(PROXY_CORE, './gateway-server.ts', String(upstream.port))
    return { name: 'dockAPI gateway', port, pid: child.pid!, path: '/' }
  } catch {
    console.log('no engine answers: the gateway is left out.')
    return undefined
  }
}

async function dockapi (): Promise<Contender> {
  const { child, port } = await startNode(PROXY_CORE, './proxy-server.ts', String(upstream.port))
  return { name: 'dockAPI /proxy/{id}/', port, pid: child.pid!, path: '/proxy/web/' }
}

async function httpProxyAlone (): Promise<Contender> {
  const { child, port } = await startNode(PROXY_CORE, './http-proxy-server.ts', String(upstream.port))
  return { name: '@fastify/http-proxy', port, pid: child.pid!, path: '/proxy/web/' }
}

async function caddy (): Promise<Contender | undefined> {
  const tool = findTool('caddy')
  if (tool === undefined) return absent('caddy')
  const port = await freePort()
  const file = join(folder, 'Caddyfile')
  writeFileSync(file, `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  reverse_proxy 127.0.0.1:${upstream.port}
}
`)
  return { name: 'caddy', port, path: '/', pid: quiet(start(PROXY_CORE, tool, ['run', '--config', file, '--adapter', 'caddyfile'])) }
}

async function nginx (): Promise<Contender | undefined> {
  const tool = findTool('nginx')
  if (tool === undefined) return absent('nginx')
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  upstream bench { server 127.0.0.1:${upstream.port}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://bench; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`)
  return { name: 'nginx', port, path: '/', pid: quiet(start(PROXY_CORE, tool, ['-c', file, '-p', folder])) }
}

function absent (name: string): undefined {
  console.log(`${name} is not installed: left out.`)
}

function quiet (child: ChildProcess): number {
  child.stdout!.resume()
  return child.pid!
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => { server.once('listening', resolve) })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => { server.close(resolve) })
  return port
}

/** A contender that answers wrongly is not measured. */
async function prove ({ name, port, path }: Contender) {
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`)
      if (answer.status !== 200 || (await answer.text()) !== 'x'.repeat(128)) throw new Error(`${name} answers ${answer.status}`)
      return
    } catch (error) {
      if (attempt === 50) throw error
      await new Promise((resolve) => { setTimeout(resolve, 100) })
    }
  }
}

/** CPU microseconds per request. */
function measure ({ port, path, pid }: Contender, duration: number): number {
  const before = cpuSeconds(pid)
  const output = execFileSync('taskset', ['-c', String(LOAD_CORE), wrk!, '-t1', '-c32', `-d${duration}s`, `http://127.0.0.1:${port}${path}`], { encoding: 'utf8' })
  const used = cpuSeconds(pid) - before
  if (/Non-2xx/.test(output)) throw new Error(output)
  return used / Number(/(\d+) requests in/.exec(output)![1]) * 1e6
}

function report () {
  const rows = contenders.map(({ name }) => ({ name, middle: median(costs.get(name)!), least: Math.min(...costs.get(name)!) }))
  const base = rows.find(({ name }) => name === 'caddy') ?? rows[0]!
  console.log(`CPU per request, ${rounds} rounds of ${seconds} s, 32 connections; median and least, each with its ratio to ${base.name}`)
  for (const { name, middle, least } of rows) console.log(name.padEnd(24) + column(middle, base.middle) + column(least, base.least))
}

function column (cost: number, base: number): string {
  return `${cost.toFixed(1).padStart(8)} us ${(cost / base).toFixed(2)}`
}

function median (values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}
