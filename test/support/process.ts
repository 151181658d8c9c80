import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export type ServerProcess = {
  /** Origin of the API. */
  url: string
  gatewayPort: number
  /** Everything that it wrote to stdout and stderr so far. */
  readonly output: string
  /** Resolves when it has ended. */
  stop (): Promise<void>
}

/** The product as a process of its own, on free ports, with every line that it writes kept; stopped when the test ends. */
export async function startServerProcess (t: Test, env: Record<string, string>): Promise<ServerProcess> {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DOCKAPI_')))
  const child = spawn(process.execPath, [MAIN], { env: { ...inherited, DOCKAPI_PORT: '0', DOCKAPI_GATEWAY_PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  t.after(async () => { await stop() })
  let output = ''
  const { promise: started, resolve, reject } = Promise.withResolvers<[url: string, port: string]>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const [, url, port] = /^ {2}dockAPI (\S+)[^]*^ {2}Gateway \S+:(\d+)$/m.exec(output) ?? []
      if (url !== undefined && port !== undefined) resolve([url, port])
    })
  }
  exited.then(() => { reject(new Error(`The server ended:\n${output}`)) }, reject)
  const [url, port] = await started

  async function stop () {
    child.kill('SIGTERM')
    await exited
  }

  return { url, gatewayPort: Number(port), get output () { return output }, stop }
}
