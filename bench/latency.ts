import { execFileSync } from 'node:child_process'
import { LOAD_CORE, startContenders } from './support/contenders.ts'
import type { Contender } from './support/contenders.ts'
import { percentile } from './support/gateway-app.ts'
import { findTool, start } from './support/processes.ts'

/**
 * How long small GETs take at half load, beside the peers: `node bench/latency.ts [ROUNDS] [SECONDS]`. All get the same rate, half of what the
 * slower of gateway and Caddy does at most; a request's time counts from when it was due, so that a proxy that stalls is not asked less.
 */
const [rounds = 8, seconds = 2] = process.argv.slice(2).map(Number)
const CONNECTIONS = 32
const COMPARED = ['dockAPI gateway', 'caddy', 'nginx']

const wrk = findTool('wrk')
if (wrk === undefined || findTool('taskset') === undefined) {
  console.log('wrk or taskset is not installed: nothing measured.')
  process.exit(0)
}
const contenders = (await startContenders()).filter(({ name }) => COMPARED.includes(name))
const rate = Math.floor(Math.min(...contenders.map(most)) / 2)

const times = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
for (let round = 0; round < rounds; round++) {
  for (const contender of contenders) times.set(contender.name, times.get(contender.name)!.concat(await measure(contender)))
}
console.log(`${rate} requests a second, ${rounds} rounds of ${seconds} s, ${CONNECTIONS} connections`)
for (const { name } of contenders) {
  const all = times.get(name)!
  console.log(`${name.padEnd(20)} median ${percentile(all, 0.5).toFixed(2)} ms, p99 ${percentile(all, 0.99).toFixed(2)} ms, p99.9 ${percentile(all, 0.999).toFixed(2)} ms`)
}
process.exit(0)

/** Requests a second when it is asked as fast as it answers. */
function most ({ port, path }: Contender): number {
  const output = execFileSync('taskset', ['-c', String(LOAD_CORE), wrk!, '-t1', `-c${CONNECTIONS}`, '-d2s', `http://127.0.0.1:${port}${path}`], { encoding: 'utf8' })
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(output)![1])
}

async function measure ({ port, path }: Contender): Promise<number[]> {
  const child = start(LOAD_CORE, process.execPath, [new URL('./support/paced-load.ts', import.meta.url).pathname, String(port), path, String(rate), String(seconds), String(CONNECTIONS)])
  let output = ''
  for await (const chunk of child.stdout!) output += String(chunk)
  return JSON.parse(output) as number[]
}
