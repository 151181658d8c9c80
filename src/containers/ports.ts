import { readDeclarations } from '../gateway/labels/read.ts'
import type { Declarations } from '../gateway/labels/declarations.ts'
import { LABELS } from './labels.ts'

/** Ports that applications commonly listen on, in the order in which they are tried (DESIGN section 6). */
const COMMON_PORTS = [80, 8080, 3000, 8000, 5000, 443]

/**
 * The port that the proxy reaches: the label, else the port given at run, else the only exposed TCP port, else a common
 * one among the exposed, else the lowest. Undefined when the container exposes none.
 */
export function chooseContainerPort (labels: Readonly<Record<string, string>>, exposedTcp: readonly number[]): number | undefined {
  const labelled = declaredTarget(labels).port ?? portNumber(labels[LABELS.containerPort])
  if (labelled !== undefined) return labelled
  return COMMON_PORTS.find((port) => exposedTcp.includes(port)) ?? (exposedTcp.length === 0 ? undefined : Math.min(...exposedTcp))
}

type Target = Declarations['main'] & { network?: string | undefined }

const DECLARING = /^(?:traefik\.(?:http\.services|docker\.network)|dockapi\.(?:port|scheme|network)$)/i

/** What labels say of how a container is reached: port, scheme and network. Most have none of these, and are not looked at closely. */
export function declaredTarget (labels: Readonly<Record<string, string>>): Target {
  if (!Object.keys(labels).some((label) => DECLARING.test(label))) return {}
  const { main, network } = readDeclarations({ name: '', labels })
  return { ...main, network }
}

/** The TCP ports of the engine's `80/tcp` keys, lowest first. */
export function tcpPortsOf (keys: Iterable<string>): number[] {
  const ports = [...keys].filter((key) => !key.includes('/') || key.endsWith('/tcp')).map((key) => Number.parseInt(key, 10))
  return ports.filter(Number.isInteger).sort((a, b) => a - b)
}

function portNumber (text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return undefined
  const port = Number(text)
  return port >= 1 && port <= 65535 ? port : undefined
}
