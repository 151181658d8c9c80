/**
 * What it costs to find the route of a request among 10, 1,000 and 10,000, as ratios to the cost among 10, and what it costs to build the
 * index: medians of interleaved rounds. Proves first that each route is found.
 *
 *     node bench/router.ts [rounds]
 */
import { performance } from 'node:perf_hooks'
import { createRouter } from '../src/gateway/router.ts'
import type { Routable, Router } from '../src/gateway/router.ts'
import { parseRule } from '../src/gateway/rules/parse.ts'
import { hostRule } from '../src/gateway/rules/rule.ts'
import type { RoutedRequest, Rule } from '../src/gateway/rules/rule.ts'

type Kind = { name: string, rule (index: number): Rule, path (index: number): string, host (index: number): string }
type Contender = { count: number, router: Router<Routable>, requests: RoutedRequest[], buildMs: number, times: number[] }

const rounds = Number(process.argv[2] ?? 15)
const COUNTS = [10, 1_000, 10_000]
const LOOKUPS = 200_000
/** The same number for every size, or the caches of the processor would be measured; spread over all routes. */
const REQUESTS = 10

const kinds: Kind[] = [
  { name: 'one host each', rule: (index) => hostRule(host(index)), host, path: () => '/index.html' },
  { name: 'host and path', rule: (index) => parseRule(`Host(\`${host(index)}\`) && PathPrefix(\`/api\`)`), host, path: () => '/api/users' },
  { name: 'paths of one host', rule: (index) => parseRule(`Host(\`one.test\`) && PathPrefix(\`/service-${index}/\`)`), host: () => 'one.test', path: (index) => `/service-${index}/users` },
  { name: 'wildcards', rule: (index) => parseRule(`Host(\`*.${host(index)}\`)`), host: (index) => `x.${host(index)}`, path: () => '/' },
  { name: 'expressions for hosts', rule: (index) => parseRule(`HostRegexp(\`^[a-z]+\\.app-${index}\\.test$\`)`), host: (index) => `x.app-${index}.test`, path: () => '/' },
  { name: 'paths without host', rule: (index) => parseRule(`PathPrefix(\`/service-${index}/\`)`), host: () => 'any.test', path: (index) => `/service-${index}/users` }
]

for (const kind of kinds) {
  const contenders = COUNTS.map((count) => prepare(kind, count))
  for (const contender of contenders) measure(contender)
  for (const contender of contenders) contender.times.length = 0
  for (let round = 0; round < rounds; round++) {
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) measure(contender)
  }
  const base = median(contenders[0]!.times)
  console.log(kind.name)
  for (const { count, times, buildMs } of contenders) {
    const nanoseconds = median(times)
    console.log(`  ${String(count).padStart(6)} routes: ${(nanoseconds / base).toFixed(2)} x (${nanoseconds.toFixed(0)} ns), built in ${buildMs.toFixed(1)} ms`)
  }
}

/** Builds the router; one that finds a wrong route is not measured. */
function prepare (kind: Kind, count: number): Contender {
  const routes = Array.from({ length: count }, (_, index): Routable => ({ rule: kind.rule(index), priority: 1, rank: index }))
  const startMs = performance.now()
  const router = createRouter(routes)
  const buildMs = performance.now() - startMs
  for (const [index, route] of routes.entries()) {
    if (router.find(requestOf(kind, index)) !== route) throw new Error(`${kind.name}: route ${index} of ${count} is not found`)
  }
  if (router.find(requestOf(kind, count)) !== undefined) throw new Error(`${kind.name}: an unknown request is routed`)
  const requests = Array.from({ length: REQUESTS }, (_, index) => requestOf(kind, Math.floor(index * count / REQUESTS)))
  return { count, router, requests, buildMs, times: [] }
}

function measure ({ router, requests, times }: Contender) {
  let found = 0
  const startMs = performance.now()
  for (let count = 0; count < LOOKUPS; count++) {
    if (router.find(requests[count % REQUESTS]!) !== undefined) found++
  }
  times.push((performance.now() - startMs) * 1e6 / LOOKUPS)
  if (found !== LOOKUPS) throw new Error('a request lost its route')
}

function requestOf (kind: Kind, index: number): RoutedRequest {
  return { method: 'GET', host: kind.host(index), path: kind.path(index), query: '', headers: {}, clientAddress: '127.0.0.1' }
}

function host (index: number): string {
  return `app-${index}.example.test`
}

function median (values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!
}
