import { LABELS } from '../containers/labels.ts'

const COMPOSE_PROJECT = 'com.docker.compose.project'
const COMPOSE_SERVICE = 'com.docker.compose.service'
const COMPOSE_ONEOFF = 'com.docker.compose.oneoff'

/** Labels that say which containers belong together. */
export const GROUPING_LABELS: readonly string[] = [COMPOSE_PROJECT, COMPOSE_SERVICE, LABELS.service, LABELS.replicaOf]

/** Longest label of a host name (RFC 1035 2.3.4). */
const MAX_LABEL = 63

/** A text as one label of a host name: lower case, everything but letters and digits a hyphen; `''` when nothing is left of it. */
export function dnsLabel (text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]/g, '-').slice(0, MAX_LABEL).replaceAll(/^-+|-+$/g, '')
}

/**
 * The hosts of a name: as a DNS label and, when its only oddity is `_`, also as it is written, for people paste it so.
 * `epic_hofstadter` gives `epic-hofstadter.localhost` and `epic_hofstadter.localhost`.
 */
export function hostsOf (name: string, domain: string): string[] {
  const label = dnsLabel(name)
  const plain = name.toLowerCase()
  if (label === '') return []
  const isPlain = /^[a-z0-9_-]{1,63}$/.test(plain) && plain !== label
  return [`${label}.${domain}`, ...(isPlain ? [`${plain}.${domain}`] : [])]
}

/** The compose project of a container; those of one project belong together. */
export function composeProject (labels: Readonly<Record<string, string>>): string | undefined {
  return labels[COMPOSE_ONEOFF] === 'True' ? undefined : labels[COMPOSE_PROJECT]
}

/** The name of a container's compose service within its project. */
export function composeServiceOf (labels: Readonly<Record<string, string>>): string | undefined {
  return labels[COMPOSE_SERVICE]
}

/** The name that all replicas of a compose service share, `<service>-<project>`; one-off containers (`compose run`) are no replicas. */
export function composeName (labels: Readonly<Record<string, string>>): string | undefined {
  const project = composeProject(labels)
  const service = labels[COMPOSE_SERVICE]
  if (project === undefined || service === undefined) return undefined
  return `${service}-${project}`
}
