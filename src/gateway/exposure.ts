import { LABELS } from '../containers/labels.ts'
import { readFlag } from './labels/values.ts'

export type Expose = 'managed' | 'all'

const TRAEFIK_ENABLE = 'traefik.enable'

/** Whether the gateway routes to a container. A label that says no keeps one out, whoever made it. */
export function isExposed (labels: Readonly<Record<string, string>>, expose: Expose): boolean {
  const flags = [labels[LABELS.enable], labels[TRAEFIK_ENABLE]].map(flagOf)
  if (flags.includes(false)) return false
  return expose === 'all' || labels[LABELS.managed] === 'true' || flags.includes(true)
}

function flagOf (text: string | undefined): boolean | undefined {
  const reading = text === undefined ? undefined : readFlag(text)
  return reading !== undefined && 'value' in reading ? reading.value : undefined
}
