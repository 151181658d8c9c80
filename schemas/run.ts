import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { ContainerName } from './containers.ts'
import { model, oneOf } from './model.ts'

export const RESTART_POLICIES = ['no', 'on-failure', 'always', 'unless-stopped'] as const

export const PortNumber = Type.Integer({ minimum: 1, maximum: 65535 })
const HostPort = Type.Integer({ minimum: 0, maximum: 65535, description: 'Port on the host; 0 or left out: the engine picks a free one.' })

/** A size in bytes or as the docker CLI writes it. A union of types is one `type` array here, so that a refusal names both. */
export const Memory = Type.Unsafe<number | string>({
  type: ['integer', 'string'], minimum: 6 * 1024 ** 2, pattern: '^\\d+(\\.\\d+)?\\s*[bkmgBKMG]?$', description: 'Memory limit: bytes, or `512m`, `2g`; at least 6m.', examples: ['512m']
})
export const Cpus = Type.Number({ minimum: 0.01, maximum: 1024, description: 'CPU limit; 0.5 is half a core.', examples: [0.5] })
export const Pids = Type.Integer({ minimum: 1, maximum: 4_194_304, description: 'Process limit.' })
export const RestartPolicy = oneOf(RESTART_POLICIES, { description: 'What the engine does when the container ends.' })

/** A command line, or its words. */
export const Command = Type.Unsafe<string | string[]>({
  type: ['string', 'array'],
  items: { type: 'string', pattern: '^[^\\u0000]*$' },
  minLength: 1,
  minItems: 1,
  maxItems: 1000,
  maxLength: 65536,
  description: 'The words, or one string that is split as a shell splits words. No shell runs.',
  examples: [['sh', '-c', 'echo hello']]
})

/** Names as the engine accepts them; a value may be empty. */
export const Env = Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_.-]*$' }), Type.String({ pattern: '^[^\\u0000]*$' }), {
  additionalProperties: false, description: 'Environment variables; names of letters, digits, `_`, `.` and `-`.', examples: [{ KEY: 'VALUE' }]
})

export const HealthPath = Type.String({
  minLength: 1, maxLength: 2048, description: 'Path that must answer 2xx, such as `/healthz`. A path only, never a host.', examples: ['/healthz']
})

const Healthcheck = Type.Object({
  command: Command,
  interval: Type.Optional(Type.Number({ minimum: 0.001, description: 'Seconds between checks.' })),
  timeout: Type.Optional(Type.Number({ minimum: 0.001, description: 'Seconds that a check may take.' })),
  retries: Type.Optional(Type.Integer({ minimum: 1, description: 'Failures in a row that make it unhealthy.' })),
  start_period: Type.Optional(Type.Number({ minimum: 0, description: 'Seconds in which failures do not count.' }))
}, { additionalProperties: false })

export const RunRequestSchema = model('RunRequest', {
  image: Type.String({ minLength: 1, maxLength: 1024, description: 'Image reference; no tag means `latest`.', examples: ['nginx:latest'] }),
  container_port: Type.Optional({ ...PortNumber, description: 'TCP port that the application listens on. May be left out when the image exposes exactly one.' }),
  host_port: Type.Optional(HostPort),
  ports: Type.Optional(Type.Array(Type.Object({
    container_port: PortNumber,
    host_port: Type.Optional(HostPort),
    protocol: Type.Optional(oneOf(['tcp', 'udp']))
  }, { additionalProperties: false }), { maxItems: 100, description: 'More ports to publish.' })),
  name: Type.Optional(ContainerName),
  env: Type.Optional(Env),
  command: Type.Optional(Command),
  entrypoint: Type.Optional(Command),
  workdir: Type.Optional(Type.String({ pattern: '^/', description: 'Working directory inside the container.' })),
  user: Type.Optional(Type.String({ minLength: 1, description: '`user[:group]`, by name or number.' })),
  hostname: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$' })),
  labels: Type.Optional(Type.Record(Type.String({ pattern: '^[^=\\u0000]+$' }), Type.String({ pattern: '^[^\\u0000]*$' }), { additionalProperties: false, description: 'Labels; names that begin with `dockapi.` are taken.' })),
  auto_remove: Type.Optional(Type.Boolean({ default: false, description: 'The engine removes the container when it ends. Wins over `restart_policy`.' })),
  detach: Type.Optional(Type.Boolean({ default: true, description: '`false`: the answer comes when the container has ended, with its exit code and output.' })),
  restart_policy: Type.Optional({ ...RestartPolicy, default: 'no' }),
  volumes: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { maxItems: 100, description: '`host:container[:ro|rw]`, or `name:container` for a named volume. Host folders must lie under DOCKAPI_VOLUME_ROOTS.', examples: [['C:/host/data:/data:ro']] })),
  tmpfs: Type.Optional(Type.Array(Type.String({ pattern: '^/' }), { maxItems: 20, description: 'Paths inside the container that live in memory, with options after a colon.', examples: [['/tmp:size=64m']] })),
  network: Type.Optional(Type.String({ minLength: 1, description: 'Docker network to join.' })),
  memory: Type.Optional(Memory),
  cpus: Type.Optional(Cpus),
  pids: Type.Optional(Pids),
  read_only: Type.Optional(Type.Boolean({ description: 'Root file system read-only.' })),
  init: Type.Optional(Type.Boolean({ description: 'Runs an init process that forwards signals and reaps children.' })),
  stop_timeout: Type.Optional(Type.Integer({ minimum: 0, maximum: 3600, description: 'Grace of a stop before the kill, in seconds.' })),
  platform: Type.Optional(Type.String({ pattern: '^[a-z0-9]+(/[a-z0-9_]+){0,2}$', examples: ['linux/arm64'] })),
  pull: Type.Optional(oneOf(['missing', 'always', 'never'], { default: 'missing', description: 'When to pull the image.' })),
  healthcheck: Type.Optional(Healthcheck),
  if_exists: Type.Optional(oneOf(['fail', 'reuse', 'replace'], { default: 'fail', description: 'When `name` is taken by a container of this API: `fail` with 409, `reuse` it (started when it is stopped), or `replace` it.' })),
  wait_ready: Type.Optional(Type.Boolean({ default: false, description: 'The answer comes when the application is ready.' })),
  health_path: Type.Optional(HealthPath),
  wait_timeout: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 3600, description: 'Longest wait of `wait_ready` (default 30, longer by its interval where a HEALTHCHECK decides) or `detach: false` (default 600), in seconds.' }))
}, {
  description: 'What to run.',
  examples: [
    { image: 'nginx:latest', container_port: 80, name: 'my-nginx', wait_ready: true, health_path: '/' },
    { image: 'alpine:3', command: 'echo hello', detach: false, auto_remove: true }
  ]
})
export type RunRequest = Static<typeof RunRequestSchema>

export const UpdateRequestSchema = model('UpdateRequest', {
  memory: Type.Optional(Memory),
  cpus: Type.Optional(Cpus),
  pids: Type.Optional(Pids),
  restart_policy: Type.Optional(RestartPolicy)
}, { minProperties: 1, description: 'What to change; all else stays.', examples: [{ memory: '512m', cpus: 0.5 }] })
export type UpdateRequest = Static<typeof UpdateRequestSchema>
