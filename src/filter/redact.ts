import { REDACTED } from '../containers/redact.ts'
import { VIRTUAL_VARIABLES } from '../gateway/labels/virtual-host.ts'

type Json = unknown
type JsonObject = Record<string, Json>

/** Route names, not secrets: gateways look for them in the environment. */
const SHOWN_VARIABLES = new Set<string>(VIRTUAL_VARIABLES)

/** Not in TypeScript's library yet (ECMAScript proposal "JSON.parse source text access"; in Node since 22). */
const { parse, rawJSON, isRawJSON } = JSON as unknown as {
  parse (text: string, reviver: (key: string, value: Json, context: { source?: string }) => Json): Json
  rawJSON (text: string): Json
  isRawJSON (value: Json): boolean
}

/** A document with none of these keys has nothing to leave out: it is passed on byte for byte. */
const TELLING_KEYS = /"(?:Env|Options|LogConfig|LogDriver|DriverConfig)"/

/**
 * A document of the engine without what may be secret in it: values of environments, options of volumes and of log drivers (passwords of shares, tokens of log
 * servers). Names are kept, and every number as it was written, beyond 2^53 too.
 * @throws SyntaxError when it is no JSON.
 */
export function redactJson (text: string): string {
  return !TELLING_KEYS.test(text) ? text : JSON.stringify(redactValue(parseExactly(text)))
}

/** Numbers become values that are written as they were read. */
export function parseExactly (text: string): Json {
  return parse(text, (_key, value, { source }) => typeof value === 'number' ? rawJSON(source!) : value)
}

function redactValue (value: Json): Json {
  if (Array.isArray(value)) return value.map(redactValue)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, redactMember(key, member, value)]))
}

/** By the shapes of the Docker API, at any depth: a container's `Config` and `HostConfig`, the tasks of a service, the volumes of a report. */
function redactMember (key: string, member: Json, parent: JsonObject): Json {
  if (key === 'Env' && Array.isArray(member)) return member.map(redactVariable)
  if (key === 'Options' && 'Mountpoint' in parent) return redactValues(member)
  if (key === 'LogConfig' || key === 'LogDriver' || key === 'DriverConfig') return redactDriver(member)
  return redactValue(member)
}

function redactVariable (variable: Json): Json {
  if (typeof variable !== 'string' || !variable.includes('=')) return variable
  const name = variable.slice(0, variable.indexOf('='))
  return SHOWN_VARIABLES.has(name) ? variable : `${name}=${REDACTED}`
}

function redactDriver (driver: Json): Json {
  if (!isObject(driver)) return driver
  return Object.fromEntries(Object.entries(driver).map(([key, member]) => [key, key === 'Config' || key === 'Options' ? redactValues(member) : member]))
}

function redactValues (options: Json): Json {
  return isObject(options) ? Object.fromEntries(Object.keys(options).map((name) => [name, REDACTED])) : options
}

function isObject (value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawJSON(value)
}
