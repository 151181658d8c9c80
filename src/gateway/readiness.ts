import { stateOf } from './routed-container.ts'
import type { RoutedContainer } from './routed-container.ts'

/**
 * Finds the containers that can take a request now and could not before: new ones, those that opened their port or became healthy, and those
 * that are back after a pause or a drain that failed.
 */
export function createReadiness (onReady: (container: RoutedContainer) => void): (containers: readonly RoutedContainer[]) => void {
  let up = new Set<string>()
  return (containers) => {
    const before = up
    const ready = containers.filter((container) => stateOf(container, container.mainPort) === 'up')
    up = new Set(ready.map(keyOf))
    for (const container of ready) if (!before.has(keyOf(container))) onReady(container)
  }
}

function keyOf ({ id, run }: RoutedContainer): string {
  return `${id} ${run}`
}
