import { parseArgs } from 'node:util'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { parseBytes } from './bytes.ts'
import { defaultDataDir } from './data-dir.ts'
import { ConfigSchema, SETTINGS } from './schema.ts'
import type { Config, EngineEnvironment, Setting } from './schema.ts'

/** Everything that is wrong with the configuration, one sentence each. */
export class ConfigError extends Error {
  readonly problems: string[]

  constructor (problems: string[]) {
    super(`The configuration has ${problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

export type ConfigSource = {
  argv?: readonly string[]
  env?: Readonly<Record<string, string | undefined>>
}

/** What is read of the environment to find the engine; `docs/configuration.md` lists the same (tested). */
export const ENGINE_VARIABLES = [
  'DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_TLS', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'XDG_RUNTIME_DIR', 'SSH_AUTH_SOCK', 'PATH'
] as const satisfies ReadonlyArray<keyof EngineEnvironment>

const KNOWN_FLAGS = `Flags are ${SETTINGS.map(({ flag }) => flag).join(' ')}.`

/**
 * Reads the configuration: flag before environment before default.
 * @throws ConfigError with every mistake at once, each naming the variable and what it may be.
 */
export function loadConfig ({ argv = [], env = {} }: ConfigSource = {}): Config {
  const problems: string[] = []
  const flags = readFlags(argv, problems)
  const values: Record<string, unknown> = {}
  for (const setting of SETTINGS) {
    const fromFlag = flags[setting.flag.slice(2)]
    const text = fromFlag ?? env[setting.variable]
    if (text === undefined || text === '') continue
    values[setting.key] = readText(setting, text)
  }
  const isGatewayPortGiven = 'gatewayPort' in values
  const config = Value.Default(ConfigSchema, values)
  for (const error of Value.Errors(ConfigSchema, config)) problems.push(describe(error.path, error.message, values))
  if (problems.length > 0) throw new ConfigError([...new Set(problems)])
  const decoded = Value.Decode(ConfigSchema, config)
  const checked: Config = { ...decoded, dataDir: decoded.dataDir ?? defaultDataDir(env), engine: readEngineEnvironment(env), isGatewayPortGiven }
  for (const value of Object.values(checked)) Object.freeze(value)
  return Object.freeze(checked)
}

function readFlags (argv: readonly string[], problems: string[]): Record<string, string | undefined> {
  const options = Object.fromEntries(SETTINGS.map(({ flag }) => [flag.slice(2), { type: 'string' as const }]))
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true })
  const flags: Record<string, string | undefined> = {}
  for (const token of tokens) {
    if (token.kind !== 'option') problems.push(`${JSON.stringify(argv[token.index])} is no flag. ${KNOWN_FLAGS}`)
    else if (!(token.name in options)) problems.push(`${token.rawName} is no flag. ${KNOWN_FLAGS}`)
    else if (token.value === undefined) problems.push(`${token.rawName} has no value.`)
    else flags[token.name] = token.value
  }
  return flags
}

/** Turns the text of a variable into the type that its schema wants; what does not fit is left as text, for the schema to refuse. */
function readText ({ schema }: Setting, text: string): unknown {
  if (schema.type === 'array') return text.split(',').map((item) => item.trim()).filter((item) => item !== '')
  if (schema.unit === 'bytes') return parseBytes(text) ?? text
  if (schema.type === 'integer' || schema.type === 'number' || schema.anyOf?.some(({ type }: TSchema) => type === 'integer')) return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text
  return text
}

function describe (path: string, message: string, values: Record<string, unknown>): string {
  const key = path.split('/')[1] ?? ''
  const setting = SETTINGS.find((candidate) => candidate.key === key)
  if (setting === undefined) return `${key}: ${message}`
  const literals = setting.schema.anyOf?.map((option: TSchema) => option.const ?? `a number from ${option.minimum} to ${option.maximum}`)
  const expectation = literals === undefined ? message.toLowerCase() : `expected one of ${literals.join(', ')}`
  const shown = setting.schema.secret === true ? '[redacted]' : JSON.stringify(values[key])
  return `${setting.variable} (${setting.flag}) is ${shown}: ${expectation}. ${setting.schema.description}`
}

function readEngineEnvironment (env: Readonly<Record<string, string | undefined>>): EngineEnvironment {
  const engine: EngineEnvironment = {}
  for (const name of ENGINE_VARIABLES) {
    const value = env[name]
    if (value !== undefined && value !== '') engine[name] = value
  }
  return engine
}
