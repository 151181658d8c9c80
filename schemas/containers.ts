import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { QueryFlag } from './common.ts'
import { model, nullable, oneOf } from './model.ts'

export const CONTAINER_STATES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const

const Port = Type.Object({
  container_port: Type.Integer({ description: 'Port inside the container.' }),
  protocol: oneOf(['tcp', 'udp', 'sctp']),
  host_ip: nullable(Type.String({ description: 'Address on the host, or null when the port is not published.' })),
  host_port: nullable(Type.Integer({ description: 'Port on the host, or null when the port is not published.' }))
}, { additionalProperties: false })

const Urls = Type.Object({
  path: nullable(Type.String({ description: 'The application through this API.' })),
  host: nullable(Type.String({ description: 'The application at a host name of its own; null while no gateway routes to it.' })),
  direct: nullable(Type.String({ description: 'The published port, without dockAPI between; null when no port is published or the container does not run.' }))
}, { additionalProperties: false })

const containerInfo = {
  id: Type.String({ description: 'Full id.' }),
  name: Type.String(),
  image: Type.String({ description: 'The image as it was asked for.' }),
  status: oneOf([...CONTAINER_STATES, 'stopped'], { description: 'The engine\'s state; `stopped` is the answer of the stop operation.' }),
  labels: Type.Record(Type.String(), Type.String()),
  host_port: nullable(Type.Integer({ description: 'Port on the host at which `container_port` is published now; null when it is not.' })),
  container_port: nullable(Type.Integer({ description: 'The port that the proxy reaches.' })),
  ports: Type.Array(Port),
  created_at: Type.String({ format: 'date-time' }),
  started_at: nullable(Type.String({ format: 'date-time', description: 'Null when it never ran, and in lists (the engine\'s list does not tell).' })),
  exit_code: nullable(Type.Integer({ description: 'Of the last run; null while it runs or before the first run.' })),
  health: nullable(oneOf(['starting', 'healthy', 'unhealthy'], { description: 'State of the HEALTHCHECK; null without one.' })),
  networks: Type.Array(Type.String()),
  urls: Urls,
  warnings: Type.Array(Type.String(), { description: 'What was accepted but done differently.' })
}

const EXAMPLE = {
  id: '4f0c1ee7a9b5c6d2e3f40112233445566778899aabbccddeeff0011223344556',
  name: 'my-nginx',
  image: 'nginx:latest',
  status: 'running',
  labels: { 'dockapi.managed': 'true', 'dockapi.name': 'my-nginx', 'dockapi.container_port': '80' },
  host_port: 52347,
  container_port: 80,
  ports: [{ container_port: 80, protocol: 'tcp', host_ip: '127.0.0.1', host_port: 52347 }],
  created_at: '2026-01-05T10:00:00.000Z',
  started_at: '2026-01-05T10:00:00.400Z',
  exit_code: null,
  health: null,
  networks: ['bridge'],
  urls: { path: 'http://127.0.0.1:8000/proxy/my-nginx/', host: 'http://my-nginx.localhost:8080/', direct: 'http://127.0.0.1:52347/' },
  warnings: []
}

export const ContainerInfoSchema = model('ContainerInfo', containerInfo, { description: 'A container as this API sees it.', examples: [EXAMPLE] })
export type ContainerInfo = Static<typeof ContainerInfoSchema>

export const ContainerDetailSchema = model('ContainerDetail', {
  ...containerInfo,
  raw: Type.Optional(Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true, description: 'The engine\'s own document, secrets redacted.' }))
}, { description: 'A container, with the engine\'s own document where asked for.', examples: [EXAMPLE] })

export const RunResultSchema = model('RunResult', {
  ...containerInfo,
  stdout: Type.Optional(Type.String({ description: 'With `detach: false`: what the container wrote to stdout.' })),
  stderr: Type.Optional(Type.String({ description: 'With `detach: false`: what the container wrote to stderr.' })),
  truncated: Type.Optional(Type.Boolean({ description: 'With `detach: false`: whether the outputs were cut at their limit.' }))
}, { description: 'The container that was run.', examples: [EXAMPLE] })
export type RunResult = Static<typeof RunResultSchema>

export const RemovedSchema = model('Removed', {
  id: Type.String(),
  removed: Type.Literal(true)
}, { description: 'The container is gone.', examples: [{ id: EXAMPLE.id, removed: true }] })

export const ExitSchema = model('Exit', {
  id: Type.String(),
  exit_code: Type.Integer()
}, { description: 'The container has ended.', examples: [{ id: EXAMPLE.id, exit_code: 0 }] })

export const ListQuerySchema = Type.Object({
  status: Type.Optional(oneOf(CONTAINER_STATES, { description: 'Only containers in this state.' })),
  label: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: '`key` or `key=value`; repeat it to ask for several.', examples: [['app=shop']] })),
  name: Type.Optional(Type.String({ minLength: 1, description: 'Part of the name.' })),
  image: Type.Optional(Type.String({ minLength: 1, description: 'The image, with or without tag.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Page size; the `Link` header leads to the next page.' })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Taken from the `Link` header.' }))
}, { additionalProperties: false })
export type ListQuery = Static<typeof ListQuerySchema>

export const InspectQuerySchema = Type.Object({ raw: QueryFlag('Adds the engine\'s own document, secrets redacted.') }, { additionalProperties: false })

export const SignalName = Type.String({ pattern: '^(SIG)?[A-Z0-9+-]{1,12}$', description: 'Name or number of a signal.', examples: ['SIGTERM'] })
const Grace = Type.Integer({ minimum: 0, maximum: 3600, description: 'Grace before the kill, in seconds; the container\'s own when left out.' })

export const StartQuerySchema = Type.Object({
  wait_ready: QueryFlag('Answers only when the container is ready: image HEALTHCHECK if there is one, else a TCP connection to its port.'),
  health_path: Type.Optional(Type.String({ description: 'With `wait_ready`: the path that must answer 2xx.' })),
  wait_timeout: Type.Number({ default: 30, exclusiveMinimum: 0, maximum: 3600, description: 'Longest wait, in seconds.' })
}, { additionalProperties: false })
export const StopQuerySchema = Type.Object({ timeout: Type.Optional(Grace), signal: Type.Optional(SignalName) }, { additionalProperties: false })
export const KillQuerySchema = Type.Object({ signal: Type.Optional({ ...SignalName, default: 'SIGKILL' }) }, { additionalProperties: false })
export const RemoveQuerySchema = Type.Object({
  force: QueryFlag('Kills the container first when it runs.'),
  volumes: QueryFlag('Removes its anonymous volumes too.')
}, { additionalProperties: false })
export const WaitQuerySchema = Type.Object({
  condition: oneOf(['not-running', 'next-exit', 'removed'], { default: 'not-running', description: 'What to wait for.' }),
  timeout: Type.Number({ default: 60, exclusiveMinimum: 0, maximum: 3600, description: 'Longest wait, in seconds.' })
}, { additionalProperties: false })

export const ContainerName = Type.String({
  pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]+$', maxLength: 128, description: 'At least two of letters, digits, `_`, `.` and `-`; the first a letter or digit.', examples: ['my-nginx']
})
export const RenameBodySchema = Type.Object({ name: ContainerName }, { additionalProperties: false, examples: [{ name: 'shop' }] })
