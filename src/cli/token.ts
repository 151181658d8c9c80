import { Ajv } from 'ajv'
import { createTrail } from '../audit/trail.ts'
import { unasked } from '../audit/unasked.ts'
import { createTokens } from '../auth/tokens.ts'
import type { Tokens } from '../auth/tokens.ts'
import { loadConfig } from '../config/load.ts'
import { definedOf } from '../defined.ts'
import { createAuditTable } from '../store/audit.ts'
import { openStore, IN_MEMORY } from '../store/store.ts'
import { explainStoreFull, isStoreFull } from '../store/store-full.ts'
import { createTokenRows } from '../store/tokens.ts'
import { SCOPES } from '../../schemas/scopes.ts'
import { TokenRequestSchema } from '../../schemas/tokens.ts'
import type { TokenInfo, TokenRequest } from '../../schemas/tokens.ts'
import { renderColumns } from './columns.ts'
import { UsageError, readArguments } from './usage.ts'
import type { Terminal } from './usage.ts'

export const TOKEN_HELP = `dockapi token: who may call.

Usage
  dockapi token create NAME --scope SCOPE,... [what narrows it] [--expires 30d] [--json]
  dockapi token list [--json]
  dockapi token revoke NAME [--json]

Scopes
  read logs run exec images routes admin    each stands for itself; admin for all

What narrows a token (not one with admin)
  --label k=v          only containers with this label exist for it; what it runs gets the label
  --image PATTERN      only these images: nginx, 'nginx:1.*', 'ghcr.io/team/*'
  --exec 'WORDS'       only commands that begin with these words
  --max-containers N   how many containers of its own may be there at once
  --memory 512m        the most memory of each
  --cpus 1             the most CPU of each
  --lifetime 2h        each is removed after this time
--scope, --label, --image and --exec may be repeated.

The data folder is changed directly (--data-dir, DOCKAPI_DATA_DIR); a server that runs sees it at once.

Examples
  dockapi token create laptop --scope admin
  dockapi token create ci --scope read,logs,run --label team=ci --image 'nginx:*' --max-containers 5 --lifetime 1h --expires 30d
  dockapi token create backup --scope exec --label app=shop --exec pg_dump
  dockapi token revoke ci`

const OPTIONS = {
  json: { type: 'boolean' },
  'data-dir': { type: 'string' },
  scope: { type: 'string', multiple: true },
  label: { type: 'string', multiple: true },
  image: { type: 'string', multiple: true },
  exec: { type: 'string', multiple: true },
  expires: { type: 'string' },
  'max-containers': { type: 'string' },
  memory: { type: 'string' },
  cpus: { type: 'string' },
  lifetime: { type: 'string' }
} as const

type Audit = (operation: 'createToken' | 'revokeToken', name: string) => void
type Values = ReturnType<typeof readValues>['values']

/**
 * `dockapi token …` on the data folder itself.
 * @throws UsageError, ConfigError, StoreError, DockApiError.
 */
export function runTokenCommand (argv: string[], { env, print, complain }: Terminal): void {
  const { values, positionals: [verb, name, ...rest] } = readValues(argv)
  if (rest.length > 0) throw new UsageError(`"${rest[0]}" is too much.`)
  if (verb === 'list' && name === undefined) return withTokens(values, env, (tokens) => list(tokens.list(), values, print))
  if (verb !== 'create' && verb !== 'revoke') throw new UsageError(verb === undefined ? 'What is to be done?' : `"${verb}" is no command of dockapi token.`)
  if (name === undefined) throw new UsageError('NAME is missing.')
  if (verb === 'revoke') {
    return withTokens(values, env, (tokens, audit) => {
      tokens.revoke(name)
      audit('revokeToken', name)
      print(values.json === true ? JSON.stringify({ name, revoked: true }) : `The token "${name}" is revoked.`)
    })
  }
  const request = readRequest(name, values)
  return withTokens(values, env, (tokens, audit) => {
    const created = tokens.create(request)
    audit('createToken', name)
    if (values.json === true) return print(JSON.stringify(created))
    complain(`The token "${name}" (${created.scopes.join(', ')}${created.expires_at === null ? '' : `, until ${created.expires_at}`}). It is shown this once:`)
    print(created.token)
  })
}

function readValues (argv: string[]) {
  return readArguments({ args: argv, options: OPTIONS, allowPositionals: true })
}

function withTokens (values: Values, env: Terminal['env'], use: (tokens: Tokens, audit: Audit) => void): void {
  const { dataDir, audit: keepDays } = loadConfig({ argv: values['data-dir'] === undefined ? [] : ['--data-dir', values['data-dir']], env })
  if (dataDir === IN_MEMORY) throw new UsageError('DOCKAPI_DATA_DIR is "memory": no other process would see the token. Use POST /tokens of the server, or name a folder.')
  const store = openStore(dataDir)
  try {
    const trail = createTrail({ table: createAuditTable(store), keepDays })
    use(createTokens(createTokenRows(store)), (operation, subject) => { trail.record(unasked({ principal: 'command-line', operation, subject })) })
  } catch (error) {
    throw isStoreFull(error) ? explainStoreFull(error) : error
  } finally {
    store.close()
  }
}

function readRequest (name: string, values: Values): TokenRequest {
  const limits = definedOf({ containers: numberOf(values['max-containers']), memory: values.memory, cpus: numberOf(values.cpus), lifetime: values.lifetime })
  const request = definedOf({
    name,
    scopes: values.scope?.flatMap((text) => text.split(',')) ?? [],
    labels: values.label === undefined ? undefined : Object.fromEntries(values.label.map(readLabel)),
    images: values.image,
    commands: values.exec,
    limits: Object.keys(limits).length === 0 ? undefined : limits,
    expires_in: values.expires
  })
  if (values.scope === undefined) throw new UsageError(`--scope is missing: ${SCOPES.join(', ')}.`)
  const validate = new Ajv({ strict: false, verbose: true }).compile<TokenRequest>(TokenRequestSchema)
  if (validate(request)) return request
  const { instancePath, data, parentSchema } = validate.errors![0]!
  throw new UsageError(complaintAbout(instancePath, data, parentSchema?.description as string | undefined))
}

const FLAGS: Readonly<Record<string, string>> = {
  name: 'NAME', scopes: '--scope', labels: '--label', images: '--image', commands: '--exec', expires_in: '--expires', 'limits/containers': '--max-containers', 'limits/memory': '--memory', 'limits/cpus': '--cpus', 'limits/lifetime': '--lifetime'
}

function complaintAbout (path: string, value: unknown, description: string | undefined): string {
  const [first = '', second] = path.split('/').slice(1)
  const flag = FLAGS[first === 'limits' ? `limits/${second}` : first] ?? path
  const expected = first === 'scopes' ? `It may be ${SCOPES.join(', ')}.` : description ?? ''
  return `${flag} is ${JSON.stringify(value)}. ${expected}`.trim()
}

function numberOf (text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text.trim() === '' ? Number.NaN : text)
}

function readLabel (text: string): [string, string] {
  const separator = text.indexOf('=')
  if (separator < 1) throw new UsageError(`--label is "${text}": write name=value.`)
  return [text.slice(0, separator), text.slice(separator + 1)]
}

function list (tokens: TokenInfo[], { json }: Values, print: Terminal['print']): void {
  if (json === true) print(JSON.stringify(tokens))
  else if (tokens.length === 0) print('There is no token.')
  else print(renderColumns([['NAME', 'SCOPES', 'NARROWED TO', 'EXPIRES', 'LAST USED'], ...tokens.map(rowOf)]))
}

function rowOf ({ name, scopes, labels, images, limits, commands, expires_at: expiresAt, last_used_at: lastUsedAt, expired }: TokenInfo): string[] {
  const narrowed = [
    ...Object.entries(labels ?? {}).map((label) => label.join('=')), ...images ?? [], ...Object.entries(limits ?? {}).map(([limit, value]) => `${limit} ${value}`), ...(commands ?? []).map((command) => `exec ${command}`)
  ]
  return [name, scopes.join(','), narrowed.join(', ') || '-', expired ? 'expired' : expiresAt ?? 'never', lastUsedAt ?? 'never']
}
