import type { Switch } from './switches.ts'

/** One kind of request that may pass. What is in no rule is refused. */
export type Rule = {
  readonly method: 'GET' | 'HEAD' | 'POST'
  /** As the Docker API writes it, without the version. */
  readonly path: string
  /** The rule is open when all switches of one of these are on. */
  readonly opened: ReadonlyArray<readonly Switch[]>
  /** Keys of the query; any other is refused. */
  readonly query: readonly string[]
  /**
   * `whole`: read to its end within `timeoutMs`, then sent; `events`: lines, each judged by itself; `stream`: passed on as it comes.
   */
  readonly answer: 'whole' | 'events' | 'stream'
  /** How long the engine may take: for the whole answer, or until a stream begins, in milliseconds. */
  readonly timeoutMs: number
}

const TIMEOUT_MS = 10_000
/** Sizes are measured by walking through the files. */
const MEASURE_TIMEOUT_MS = 60_000
/** A container may be given minutes to stop; the client waits no longer than it wants. */
const CONTROL_TIMEOUT_MS = 600_000

/** Everything that the filter passes, in the order of the documentation. */
export const RULES: readonly Rule[] = [
  { ...show('PING', '/_ping'), method: 'HEAD' },
  show('PING', '/_ping'),
  show('VERSION', '/version'),
  { ...show('EVENTS', '/events', ['since', 'until', 'filters']), answer: 'events' },
  { ...show('CONTAINERS', '/containers/json', ['all', 'limit', 'size', 'since', 'before', 'filters']), timeoutMs: MEASURE_TIMEOUT_MS },
  { ...show('CONTAINERS', '/containers/{id}/json', ['size']), timeoutMs: MEASURE_TIMEOUT_MS },
  show('CONTAINERS', '/containers/{id}/changes'),
  { ...show('CONTAINERS', '/containers/{id}/stats', ['stream', 'one-shot']), answer: 'stream' },
  { ...show('LOGS', '/containers/{id}/logs', ['follow', 'stdout', 'stderr', 'since', 'until', 'timestamps', 'details', 'tail']), answer: 'stream' },
  // Not ps_args: with it ps tells the environment of every process.
  show('TOP', '/containers/{id}/top'),
  show('NETWORKS', '/networks', ['filters']),
  show('NETWORKS', '/networks/{id}', ['verbose', 'scope']),
  show('IMAGES', '/images/json', ['all', 'filters', 'digests', 'shared-size', 'manifests']),
  show('IMAGES', '/images/{image}/json', ['manifests', 'platform']),
  show('VOLUMES', '/volumes', ['filters']),
  show('VOLUMES', '/volumes/{id}'),
  show('INFO', '/info'),
  { ...show('SYSTEM', '/system/df', ['type', 'verbose']), timeoutMs: MEASURE_TIMEOUT_MS },
  show('SERVICES', '/services', ['filters', 'status']),
  show('SERVICES', '/services/{id}', ['insertDefaults']),
  show('TASKS', '/tasks', ['filters']),
  show('TASKS', '/tasks/{id}'),
  show('NODES', '/nodes', ['filters']),
  show('NODES', '/nodes/{id}'),
  control('start', ['ALLOW_START']),
  control('stop', ['ALLOW_STOP', 'ALLOW_RESTARTS'], ['t', 'signal']),
  control('restart', ['ALLOW_RESTARTS'], ['t', 'signal']),
  control('kill', ['ALLOW_RESTARTS'], ['signal']),
  control('pause', []),
  control('unpause', [])
]

function show (name: Switch, path: string, query: readonly string[] = []): Rule {
  return { method: 'GET', path, opened: [[name]], query, answer: 'whole', timeoutMs: TIMEOUT_MS }
}

/** What changes a container and can be undone. Nothing that makes, changes, enters or removes one. */
function control (verb: string, alone: readonly Switch[], query: readonly string[] = []): Rule {
  const opened: Switch[][] = [...alone.map((name) => [name]), ['CONTAINERS', 'POST']]
  return { method: 'POST', path: `/containers/{id}/${verb}`, opened, query, answer: 'whole', timeoutMs: CONTROL_TIMEOUT_MS }
}
