import { ConfigError } from '../config/load.ts'

/** What the filter can open, by the names of tecnativa/docker-socket-proxy; `LOGS` and `TOP` are ours, there `CONTAINERS` opens both. */
export const SWITCHES = [
  'PING', 'VERSION', 'EVENTS', 'CONTAINERS', 'LOGS', 'TOP', 'NETWORKS', 'IMAGES', 'VOLUMES', 'INFO', 'SYSTEM', 'SERVICES', 'TASKS', 'NODES',
  'POST', 'ALLOW_START', 'ALLOW_STOP', 'ALLOW_RESTARTS'
] as const

export type Switch = typeof SWITCHES[number]

/** On until switched off, there as here. */
export const ON_BY_DEFAULT: readonly Switch[] = ['EVENTS', 'PING', 'VERSION']

/** Switches of that proxy which open a way to become root on the engine's machine or to read its secrets, and why they stay off here. */
export const NEVER: Readonly<Record<string, string>> = {
  AUTH: 'it checks passwords of registries',
  BUILD: 'a build runs commands',
  COMMIT: 'it writes images',
  CONFIGS: 'configs are data of services',
  DISTRIBUTION: 'it makes the engine ask any registry',
  EXEC: 'it runs commands in containers',
  GRPC: 'a build runs commands',
  PLUGINS: 'plugins run as root',
  SECRETS: 'secrets are not shown',
  SESSION: 'a build runs commands',
  SWARM: 'it tells the tokens with which a machine joins'
}

/**
 * Reads `CONTAINERS`, `containers` or `CONTAINERS=1` as on and `EVENTS=0` as off; what is not named keeps its default.
 * @throws ConfigError with everything that is wrong.
 */
export function readSwitches (items: readonly string[]): ReadonlySet<Switch> {
  const on = new Set(ON_BY_DEFAULT)
  const problems: string[] = []
  for (const item of items) {
    const [, word = '', value = '1'] = /^(\w+)(?:=([01]))?$/.exec(item.toUpperCase()) ?? []
    const name = SWITCHES.find((known) => known === word)
    const reason = NEVER[word]
    if (name !== undefined && value === '1') on.add(name)
    else if (name !== undefined) on.delete(name)
    else if (reason !== undefined && value === '1') problems.push(`DOCKAPI_FILTER_SECTIONS has "${item}", which the filter never opens: ${reason}.`)
    else if (reason === undefined) problems.push(`DOCKAPI_FILTER_SECTIONS has "${item}": write one of ${SWITCHES.join(', ')}, alone or with =1 or =0.`)
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return on
}
