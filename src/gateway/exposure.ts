import { LABELS } from '../containers/labels.ts'

export type Expose = 'managed' | 'all'

const TRAEFIK_ENABLE = 'traefik.enable'

/** Whether the gateway routes to a container. A label that says `false` keeps one out, whoever made it. */
export function isExposed (labels: Readonly<Record<string, string>>, expose: Expose): boolean {
  if (labels[LABELS.enable] === 'false' || labels[TRAEFIK_ENABLE] === 'false') return false
  return expose === 'all' || labels[LABELS.managed] === 'true' || labels[LABELS.enable] === 'true' || labels[TRAEFIK_ENABLE] === 'true'
}
