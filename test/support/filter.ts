import { execFile } from 'node:child_process'
import type { Test } from 'tap'
import { statusOf } from '../../plugins/errors.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createFilter } from '../../src/filter/filter.ts'
import { createChaosSocket, engineAt } from './chaos-socket.ts'

/** A filter before a socket that counts what reaches the engine. */
export async function openFilter (t: Test, sections: string, env: Record<string, string> = {}) {
  const chaos = await createChaosSocket(t)
  const config = loadConfig({ env: { DOCKAPI_FILTER: '127.0.0.1:0', DOCKAPI_FILTER_SECTIONS: sections, ...env } })
  const changes: unknown[] = []
  const refusals: unknown[] = []
  const filter = createFilter({
    config, engine: engineAt(t, { DOCKER_HOST: chaos.host }), statusOf, onChange: (change) => { changes.push(change) }, onRefusal: (refusal) => { refusals.push(refusal) }
  })
  t.after(() => {
    filter.destroy()
    return filter.close()
  })
  await filter.listen()
  return { changes, refusals, chaos, origin: filter.origin!, port: Number(new URL(filter.origin!).port) }
}

type Ended = { code: number, output: string }

/** The real docker command, through the filter. */
export function docker (port: number, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_BUILDKIT: '0' }
    const child = execFile('docker', args, { env }, (error, stdout, stderr) => { resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }) })
    child.stdin!.end()
  })
}
