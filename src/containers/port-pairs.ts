import { invalidField } from '../errors.ts'
import type { ContainerInfo } from '../../schemas/containers.ts'
import type { RunRequest } from '../../schemas/run.ts'

type Ports = NonNullable<RunRequest['ports']>

const PAIR = /^(?:(\d{1,5}):)?(\d{1,5})(?:\/(tcp|udp))?$/
const HIGHEST = 65535

/**
 * The ports of `host:container` pairs; without a host port the engine picks one. The first TCP port is the main one.
 * @throws DockApiError `invalid_request` on the entry.
 */
export function parsePortPairs (pairs: readonly string[]): Pick<RunRequest, 'container_port' | 'host_port' | 'ports'> {
  const ports: Ports = []
  for (const [index, pair] of pairs.entries()) {
    const [, host = '0', container = '', protocol = 'tcp'] = PAIR.exec(pair) ?? []
    const port = { container_port: Number(container), host_port: Number(host), protocol: protocol as 'tcp' | 'udp' }
    if (port.container_port < 1 || port.container_port > HIGHEST || port.host_port > HIGHEST) {
      throw invalidField('body', `/ports/${index}`, `"${pair}" is no pair of ports`, 'Write host:container, such as 8080:3000; ports go from 1 to 65535.')
    }
    const isSame = (other: Ports[number]) => other.container_port === port.container_port && other.protocol === port.protocol
    if (ports.some(isSame)) throw invalidField('body', `/ports/${index}`, `publishes ${container}/${protocol} a second time`)
    ports.push(port)
  }
  const main = ports.find(({ protocol }) => protocol === 'tcp')
  if (main === undefined) return { ports }
  return { container_port: main.container_port, ...(main.host_port === undefined ? {} : { host_port: main.host_port }), ports: ports.filter((port) => port !== main) }
}

/** The published ports as pairs, each once, whatever the addresses on which it is published. */
export function formatPortPairs (ports: ContainerInfo['ports']): string[] {
  const published = ports.filter(({ host_port: port }) => port !== null)
  return [...new Set(published.map((port) => `${port.host_port}:${port.container_port}${port.protocol === 'tcp' ? '' : `/${port.protocol}`}`))]
}
