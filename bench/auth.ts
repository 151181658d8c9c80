/**
 * What it costs to tell whom a request is from: `node bench/auth.ts`. Prints nanoseconds for one call of `Guard.authenticate`, each way interleaved with
 * the others, the median of the rounds. It proves that each way answers rightly before it measures.
 */
import { createTickets } from '../src/auth/tickets.ts'
import { createTokens } from '../src/auth/tokens.ts'
import { loadConfig } from '../src/config/load.ts'
import { createGuard } from '../src/guard/guard.ts'
import type { GuardedRequest } from '../src/guard/guard.ts'
import { openStore } from '../src/store/store.ts'
import { createTokenRows } from '../src/store/tokens.ts'

const ROUNDS = 15
const CALLS = 20_000
const STATIC = 'a-secret-of-24-characters'

const withToken = createBench({ DOCKAPI_TOKEN: STATIC })
const stored = createBench({})
const open = createBench({})
const { token } = stored.tokens.create({ name: 'bench', scopes: ['read'] })

const ways = {
  'open on loopback': measured(open.guard, undefined, 'open'),
  DOCKAPI_TOKEN: measured(withToken.guard, STATIC, 'DOCKAPI_TOKEN'),
  'token of the store': measured(stored.guard, token, 'bench'),
  'wrong token (401)': measured(stored.guard, `dockapi_${'x'.repeat(43)}`, undefined)
}
const times = Object.entries(ways).map(([name, measure]) => ({ name, measure, rounds: [] as number[] }))
for (let round = 0; round < ROUNDS; round++) for (const { measure, rounds } of times) rounds.push(measure())
for (const { name, rounds } of times) console.log(`${name.padEnd(20)} ${Math.round(rounds.sort((a, b) => a - b)[ROUNDS >> 1]!).toString().padStart(7)} ns`)

function createBench (env: Record<string, string>) {
  const tokens = createTokens(createTokenRows(openStore('memory')))
  return { tokens, guard: createGuard(loadConfig({ env }), tokens, createTickets()) }
}

function measured (guard: ReturnType<typeof createGuard>, secret: string | undefined, expected: string | undefined) {
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
  return () => {
    const began = process.hrtime.bigint()
    for (let count = 0; count < CALLS; count++) call()
    return Number(process.hrtime.bigint() - began) / CALLS
  }
}
