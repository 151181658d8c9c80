import { execFileSync } from 'node:child_process'
import { LOAD_CORE, startContenders } from './support/contenders.ts'
import type { Contender } from './support/contenders.ts'
import { cpuSeconds, findTool } from './support/processes.ts'

/**
 * CPU time of a proxy per small GET, beside its peers: `node bench/proxy.ts [ROUNDS] [SECONDS]`. The proxies run on core 0, load and
 * upstream on core 1, in many short interleaved rounds; machines differ and are shared, so only the ratios mean anything.
 * The gateway needs an engine.
 */
const [rounds = 15, seconds = 1] = process.argv.slice(2).map(Number)

const wrk = findTool('wrk')
if (wrk === undefined || findTool('taskset') === undefined) {
  console.log('wrk or taskset is not installed: nothing measured.')
  process.exit(0)
}
const contenders = await startContenders()

const costs = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
for (const contender of contenders) measure(contender, 2)
for (let round = 0; round < rounds; round++) {
  for (const contender of contenders) costs.get(contender.name)!.push(measure(contender, seconds))
}
report()
process.exit(0)

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
