import { REDACTED } from '../containers/redact.ts'
import { createLines } from '../engine/lines.ts'
import { parseExactly } from './redact.ts'
import type { Switch } from './switches.ts'

/** An event tells of a thing, so the section of that thing must be open too. Types that are not here are never shown: secrets, configs, plugins. */
const SECTION_OF_TYPE: Readonly<Record<string, Switch>> = {
  container: 'CONTAINERS', network: 'NETWORKS', image: 'IMAGES', volume: 'VOLUMES', daemon: 'INFO', service: 'SERVICES', node: 'NODES'
}

/** The command stands in the action: `exec_create: sh -c …`. */
const COMMAND = /^(exec_(?:create|start|die)): .*$/s

export type EventRule = {
  on: ReadonlySet<Switch>
  /** Without the commands that are run in containers. */
  isRedacted: boolean
}

/** Passes on those of the engine's events that may be seen, a line each. What cannot be read is left out. */
export async function * passEvents (chunks: AsyncIterable<Buffer>, rule: EventRule): AsyncGenerator<string> {
  const lines = createLines()
  for await (const chunk of chunks) {
    const passed = lines.push(chunk).flatMap((line) => passEvent(line, rule) ?? [])
    if (passed.length > 0) yield `${passed.join('\n')}\n`
  }
}

/** @returns The line as it came, or written anew where something had to be left out; undefined when it may not be seen. */
export function passEvent (line: string | undefined, { on, isRedacted }: EventRule): string | undefined {
  const event = line === undefined ? undefined : parseEvent(line)
  if (event === undefined || !on.has(SECTION_OF_TYPE[event.Type]!)) return undefined
  if (!isRedacted || !COMMAND.test(event.Action)) return line
  // Engines before API 1.52 say the action twice.
  return JSON.stringify({ ...event, ...('status' in event ? { status: redact(String(event.status)) } : {}), Action: redact(event.Action) })
}

type Event = { Type: string, Action: string, status?: unknown }

function parseEvent (line: string): Event | undefined {
  try {
    const event = parseExactly(line) as Event
    return typeof event.Action === 'string' && Object.hasOwn(SECTION_OF_TYPE, event.Type) ? event : undefined
  } catch {
    return undefined
  }
}

function redact (action: string): string {
  return action.replace(COMMAND, `$1: ${REDACTED}`)
}
