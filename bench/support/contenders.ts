import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../test/support/free-port.ts'
import { findTool, start, startNode } from './processes.ts'

/** A proxy before one upstream that answers 128 bytes. */
export type Contender = { name: string, port: number, pid: number, path: string }

const PROXY_CORE = 0
/** The load's core, and the upstream's. */
export const LOAD_CORE = 1

const folder = mkdtempSync(join(tmpdir(), 'dockapi-bench-'))
process.once('exit', () => { rmSync(folder, { recursive: true }) })

/** Starts dockAPI and its peers, as far as this machine has them, and makes sure that they answer. They end with this process. */
export async function startContenders (): Promise<Contender[]> {
  const upstream = await startNode(LOAD_CORE, './upstream-server.ts')
  const started = [await gateway(upstream.port), await dockapi(upstream.port), await httpProxyAlone(upstream.port), await caddy(upstream.port), await nginx(upstream.port)]
  const contenders = started.filter((each) => each !== undefined)
  for (const contender of contenders) await prove(contender)
  return contenders
}

async function gateway (upstream: number): Promise<Contender | undefined> {
  try {
    const { child, port } = await startNode(PROXY_CORE, './gateway-server.ts', String(upstream))
    return { name: 'dockAPI gateway', port, pid: child.pid!, path: '/' }
  } catch {
    console.log('no engine answers: the gateway is left out.')
    return undefined
  }
}

async function dockapi (upstream: number): Promise<Contender> {
  const { child, port } = await startNode(PROXY_CORE, './proxy-server.ts', String(upstream))
  return { name: 'dockAPI /proxy/{id}/', port, pid: child.pid!, path: '/proxy/web/' }
}

async function httpProxyAlone (upstream: number): Promise<Contender> {
  const { child, port } = await startNode(PROXY_CORE, './http-proxy-server.ts', String(upstream))
  return { name: '@fastify/http-proxy', port, pid: child.pid!, path: '/proxy/web/' }
}

async function caddy (upstream: number): Promise<Contender | undefined> {
  const tool = findTool('caddy')
  if (tool === undefined) return absent('caddy')
  const port = await freePort()
  const file = join(folder, 'Caddyfile')
  writeFileSync(file, `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  reverse_proxy 127.0.0.1:${upstream}
}
`)
  return { name: 'caddy', port, path: '/', pid: quiet(start(PROXY_CORE, tool, ['run', '--config', file, '--adapter', 'caddyfile'])) }
}

async function nginx (upstream: number): Promise<Contender | undefined> {
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
  upstream bench { server 127.0.0.1:${upstream}; keepalive 64; }
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
