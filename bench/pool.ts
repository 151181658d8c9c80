/**
 * What the choice of an upstream costs: nanoseconds for take, answered and end, medians of interleaved rounds, and the memory of the
 * counters. `node bench/pool.ts [ROUNDS]`. Before it is measured, the turns are proved to be even.
 */
import { randomBytes } from 'node:crypto'
import { createPool } from '../src/gateway/pool.ts'
import type { Ask } from '../src/gateway/pool.ts'
import type { PoolMember } from '../src/gateway/pool-service.ts'
import { STRATEGIES } from '../schemas/services.ts'
import type { ServiceSettings } from '../schemas/services.ts'
import { poolMember, poolService } from '../test/support/pool.ts'

const rounds = Number(process.argv[2] ?? 15)
const REQUESTS = 100_000
const SIZES = [1, 2, 10, 100]

type Contender = { name: string, run (): PoolMember }

const contenders = SIZES.flatMap((size) => [
  ...STRATEGIES.map((strategy) => contend(`${strategy}, ${size}`, size, { strategy })),
  contend(`sticky, ${size}`, size, { sticky: {} })
])
const costs = new Map(contenders.map(({ name }) => [name, [] as number[]]))
for (let round = -2; round < rounds; round++) {
  for (const contender of contenders) {
    const cost = measure(contender)
    if (round >= 0) costs.get(contender.name)!.push(cost)
  }
}
for (const [name, values] of costs) console.log(`${name.padEnd(24)} ${median(values).toFixed(0).padStart(6)} ns`)

/** The contender for one kind of pool, which has proved that it is even. */
function contend (name: string, size: number, settings: ServiceSettings): Contender {
  const pool = createPool({ secret: randomBytes(32) })
  const service = poolService(Array.from({ length: size }, (_, index) => poolMember(`member ${index}`)), settings)
  pool.follow([service])
  const first = pool.take(service, {})
  first.end()
  const cookie = first.setCookie?.split(';')[0]
  const ask: Ask = cookie === undefined ? {} : { cookie: `theme=dark; ${cookie}` }
  const run = () => {
    const lease = pool.take(service, ask)
    lease.answered(200)
    lease.end()
    return lease.member
  }
  const counts = new Map<PoolMember, number>()
  for (let turn = 0; turn < size * 10; turn++) {
    const member = run()
    counts.set(member, (counts.get(member) ?? 0) + 1)
  }
  const isEven = cookie === undefined ? counts.size === size && Math.max(...counts.values()) - Math.min(...counts.values()) <= 1 : counts.size === 1
  if (!isEven) throw new Error(`${name} is not even: ${[...counts.values()].join(' ')}`)
  return { name, run }
}

/** Nanoseconds for one request. */
function measure ({ run }: Contender): number {
  const startMs = performance.now()
  for (let count = 0; count < REQUESTS; count++) run()
  return (performance.now() - startMs) * 1e6 / REQUESTS
}

function median (values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1]!
}
