import type { ContainerDocument } from '../engine/containers.ts'

/** Stands in the place of what may be a secret. */
export const REDACTED = '[redacted]'

/** The engine's document without the values of its environment: names are shown, values may be secrets. */
export function redactDocument (document: ContainerDocument): Record<string, unknown> {
  const Env = document.Config.Env?.map((entry) => entry.includes('=') ? `${entry.slice(0, entry.indexOf('='))}=${REDACTED}` : entry)
  return { ...document, Config: { ...document.Config, Env } }
}
