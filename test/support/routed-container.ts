import { readDeclarations } from '../../src/gateway/labels/read.ts'
import type { RoutedContainer } from '../../src/gateway/routed-container.ts'

let count = 0

/** A running container as the provider tells of it; each is younger than the one before. */
export function routedContainer (name: string, given: Partial<RoutedContainer> = {}): RoutedContainer {
  const id = `${name}-${++count}`
  const labels = given.labels ?? {}
  const declarations = readDeclarations({ name, labels })
  const ports = [...new Set([...given.ports ?? [declarations.main.port ?? 80], ...declarations.services.flatMap(({ port }) => port ?? [])])]
  return {
    id,
    name,
    labels,
    ownNames: [name],
    declarations,
    createdAt: new Date(Date.UTC(2026, 0) + count * 1000).toISOString(),
    run: 'first',
    status: 'running',
    health: undefined,
    stopSignal: undefined,
    mainPort: declarations.main.port ?? ports[0] ?? null,
    addresses: new Map(ports.map((port) => [port, { upstream: { containerId: id, scheme: 'http', host: '127.0.0.1', port, reason: 'the test says so' } }] as const)),
    isOpen: true,
    isDraining: false,
    ...given,
    ports
  }
}

/** The labels that compose gives the containers of a service. */
export const composeLabels = (project: string, service: string) => ({ 'com.docker.compose.project': project, 'com.docker.compose.service': service })
