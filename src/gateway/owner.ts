import { LABELS } from '../containers/labels.ts'
import { composeName, composeProject } from './names.ts'
import type { RoutedContainer } from './routed-container.ts'

type Owned = Pick<RoutedContainer, 'id' | 'labels' | 'declarations'>

/**
 * Whose the hosts of a container are: its compose project's, else its named service's, else its own. Routes of one owner share hosts and
 * services; a stranger gets none of them, whatever its labels say.
 */
export function ownerOf ({ id, labels, declarations: { serviceName } }: Owned): string {
  const project = composeProject(labels)
  if (project !== undefined) return `project/${project}`
  if (serviceName !== undefined) return `service/${serviceName}`
  return originalOf({ id, labels })
}

/** The pool that all replicas of a container are in, and its name; undefined for a container that stands alone. */
export function replicaPoolOf ({ id, labels, declarations: { serviceName } }: Owned): { key: string, name: string } | undefined {
  const compose = composeName(labels)
  if (compose !== undefined) return { key: `compose/${compose}`, name: compose }
  if (serviceName !== undefined) return { key: `service/${serviceName}`, name: serviceName }
  const original = labels[LABELS.replicaOf]
  const name = labels[LABELS.name]
  return original === undefined || name === undefined ? undefined : { key: originalOf({ id, labels }), name }
}

/** A replica counts as the container of which it is one. */
function originalOf ({ id, labels }: Pick<RoutedContainer, 'id' | 'labels'>): string {
  return `container/${labels[LABELS.replicaOf] ?? id}`
}
