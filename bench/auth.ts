/**
 * What asking costs before and beside the work itself: `node bench/auth.ts`. Prints nanoseconds for one call of each check that a request passes
 * (who is it, how often, how many at once, may the engine be asked for this) and of the entry that the audit keeps: median and least of interleaved
 * rounds. It proves that each way answers rightly before it measures. Nothing is dialled; no engine is needed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTickets } from '../src/auth/tickets.ts'
import { createTokens } from '../src/auth/tokens.ts'
import { unasked } from '../src/audit/unasked.ts'
import { createTrail } from '../src/audit/trail.ts'
import { loadConfig } from '../src/config/load.ts'
import { buildSpec } from '../src/containers/spec.ts'
import { isDockApiError } from '../src/errors.ts'
import { createGuard } from '../src/guard/guard.ts'
import type { GuardedRequest } from '../src/guard/guard.ts'
import { createAuditTable } from '../src/store/audit.ts'
import { openStore } from '../src/store/store.ts'
import { createTokenRows } from '../src/store/tokens.ts'
import type { RunRequest } from '../schemas/run.ts'
import { policyOf } from '../test/support/policy.ts'
import { captureHooks } from './support/hooks.ts'

type Way = { name: string, call: () => unknown, calls?: number }

const ROUNDS = 15
const CALLS = 20_000
/** For what takes long. */
const FEW_CALLS = 1_000
const STATIC = 'a-secret-of-24-characters'
const RULES = { DOCKAPI_IMAGES_ALLOW: 'nginx,ghcr.io/team/**', DOCKAPI_IMAGES_DENY: '*/*:latest', DOCKAPI_REGISTRIES: 'docker.io,ghcr.io' }

const folder = mkdtempSync(join(tmpdir(), 'dockapi-bench-'))
process.once('exit', () => { rmSync(folder, { recursive: true, force: true }) })

const withToken = createBench({ DOCKAPI_TOKEN: STATIC })
const stored = createBench({})
const open = createBench({})
const { token } = stored.tokens.create({ name: 'bench', scopes: ['read'] })
const hooks = await captureHooks()

const ways: Way[] = [
  identify('open on loopback', open.guard, undefined, 'open'),
  identify('DOCKAPI_TOKEN', withToken.guard, STATIC, 'DOCKAPI_TOKEN'),
  identify('token of the store', stored.guard, token, 'bench'),
  identify('wrong token (401)', stored.guard, `dockapi_${'x'.repeat(43)}`, undefined),
  { name: 'rate limit, hook', call: hooks.countRequest },
  { name: 'place, hook, no place needed', call: hooks.passSlots },
  { name: 'place, hook, taken and freed', call: hooks.takeSlot },
  await judge('policy, plain run'),
  await judge('policy, image rules', { env: RULES, run: { image: 'ghcr.io/team/app:1' } }),
  await judge('policy, every field', { run: everyField() }),
  await judge('policy, a folder', { env: { DOCKAPI_VOLUME_ROOTS: folder }, run: { volumes: [`${folder}:/data:ro`] } }),
  await judge('policy, denied (403)', { env: RULES, run: { image: 'evil.test/x', network: 'host' }, expected: 'policy_denied' }),
  record('audit entry, in memory', 'memory', FEW_CALLS),
  record('audit entry, in a file', folder, FEW_CALLS)
]
const measured = ways.map((way) => ({ ...way, rounds: [] as number[] }))
for (let round = 0; round < ROUNDS; round++) for (const way of measured) way.rounds.push(await nanoseconds(way))
console.log(`${''.padEnd(30)} median     least`)
for (const { name, rounds } of measured) {
  const [median, least] = [rounds.toSorted((a, b) => a - b)[ROUNDS >> 1]!, Math.min(...rounds)]
  console.log(`${name.padEnd(28)} ${median.toFixed(0).padStart(8)} ${least.toFixed(0).padStart(8)} ns`)
}
await hooks.close()

async function nanoseconds ({ call, calls = CALLS }: Way): Promise<number> {
  const began = process.hrtime.bigint()
  for (let count = 0; count < calls; count++) {
    const result = call()
    if (result instanceof Promise) await result
  }
  return Number(process.hrtime.bigint() - began) / calls
}

function createBench (env: Record<string, string>) {
  const tokens = createTokens(createTokenRows(openStore('memory')))
  return { tokens, guard: createGuard(loadConfig({ env }), tokens, createTickets()) }
}

function identify (name: string, guard: ReturnType<typeof createGuard>, secret: string | undefined, expected: string | undefined): Way {
  let address = 0
  const call = () => {
    // Wrong tokens are counted by address: each comes from another.
    const request: GuardedRequest = { method: 'GET', url: '/containers?limit=10', headers: secret === undefined ? {} : { authorization: `Bearer ${secret}` }, address: String(address++), isPublic: false, isProxied: false }
    try {
      return guard.authenticate(request).name
    } catch {
      return undefined
    }
  }
  if (call() !== expected) throw new Error(`This is not ${expected ?? 'refused'}.`)
  return { name, call }
}

/** Judges the object that a run sends to the engine, its copy included. */
async function judge (name: string, { env = {}, run = {}, expected = 'allowed' }: { env?: Record<string, string>, run?: Partial<RunRequest>, expected?: string } = {}): Promise<Way> {
  const request = { image: 'nginx:1', ...run }
  const spec = buildSpec(request, request.image, 80, loadConfig())
  const policy = policyOf(env)
  const call = () => policy.enforce(spec).then(() => 'allowed', (error: unknown) => isDockApiError(error) ? error.code : String(error))
  const verdict = await call()
  if (verdict !== expected) throw new Error(`${name}: ${verdict}`)
  return { name, call, calls: FEW_CALLS }
}

function everyField (): Partial<RunRequest> {
  return {
    host_port: 8081,
    ports: [{ container_port: 53, protocol: 'udp' }],
    env: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`NAME_${index}`, 'value'])),
    labels: { 'a.b': 'c' },
    command: ['sh', '-c', 'true'],
    volumes: ['cache:/c'],
    tmpfs: ['/tmp:size=1m'],
    network: 'web',
    memory: '64m',
    cpus: 0.5,
    pids: 5,
    healthcheck: { command: 'true', interval: 1, timeout: 1, retries: 1, start_period: 1 }
  }
}

function record (name: string, dataDir: string, calls: number): Way {
  const table = createAuditTable(openStore(dataDir))
  const trail = createTrail({ table, keepDays: 30, onFailure (error) { throw error } })
  const entry = unasked({ principal: 'bench', operation: 'stopContainer', container: 'my-nginx', image: 'nginx:1', status: 200 })
  trail.record(entry)
  if (table.list({ principal: 'bench' }, 2).length !== 1) throw new Error(`${name}: the entry is not kept`)
  return { name, call: () => { trail.record(entry) }, calls }
}
