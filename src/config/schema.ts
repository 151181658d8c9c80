import { Type } from '@sinclair/typebox'
import type { Static, TSchema } from '@sinclair/typebox'

const Port = (description: string, value: number) => Type.Integer({ minimum: 0, maximum: 65535, default: value, description })
const List = (description: string) => Type.Array(Type.String({ minLength: 1 }), { default: [], description })
const MebiByte = 1024 ** 2
/** `127.0.0.1:2375`, `[::1]:2375`, `name:2375`. */
const LISTEN_ADDRESS = '(\\[[0-9a-fA-F:.]+\\]|[a-zA-Z0-9.-]+):([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])'

/** What Docker gives a container that is not privileged, and so what can be taken from it (moby `oci/caps`, DefaultCapabilities). */
const CAPABILITIES = ['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'NET_RAW', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT']

/**
 * Every setting, once: its type, default and meaning. A property `fooBar` is read from the flag `--foo-bar`, else from
 * the variable `DOCKAPI_FOO_BAR`, else it has its default. `docs/configuration.md` lists the same (tested).
 */
export const ConfigSchema = Type.Object({
  host: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Address that the API listens on.' }),
  port: Port('Port that the API listens on; 0 takes any free one and prints it.', 8000),
  gatewayHost: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Address that the gateway listens on: containers answer there at names of their own.' }),
  gatewayPort: Type.Union([Type.Integer({ minimum: 0, maximum: 65535 }), Type.Literal('off')], { default: 8080, description: 'Port of the gateway; 0 takes any free one and prints it, `off` runs none. When the default port is taken, the server goes on without a gateway and says so.' }),
  domain: Type.String({ default: 'localhost', pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$', description: 'Containers answer at `<name>.<domain>`; lower case. Browsers resolve `*.localhost` to this machine by themselves.' }),
  expose: Type.Union([Type.Literal('managed'), Type.Literal('all')], { default: 'managed', description: '`managed`: the gateway routes to containers that dockAPI made or that carry `dockapi.enable=true` or `traefik.enable=true`; `all`: to every container whose labels do not say `false`.' }),
  sharedHosts: List('Hosts at which containers of different owners (compose projects) may each have paths of their own; elsewhere a host belongs to the owner that claimed it first.'),
  middlewaresFile: Type.Optional(Type.String({ minLength: 1, description: 'File of middlewares that labels refer to as `name@file`: YAML or JSON, as Traefik\'s dynamic configuration or in the API\'s form. Read again when it changes.' })),
  scope: Type.Union([Type.Literal('managed'), Type.Literal('all')], { default: 'managed', description: '`managed`: only containers that dockAPI made or that carry the label `dockapi.enable=true` exist for the API; `all`: every container of the engine.' }),
  network: Type.Optional(Type.String({ minLength: 1, description: 'Docker network that new containers join and through which containers are reached first.' })),
  publishHost: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Host address on which container ports are published.' }),
  auth: Type.Union([Type.Literal('auto'), Type.Literal('required'), Type.Literal('off')], { default: 'auto', description: '`auto`: open on loopback until a token is set or made, required elsewhere; `required`; `off` leaves the API open to whoever reaches it.' }),
  token: Type.Optional(Type.String({ minLength: 16, description: 'A token that may do everything, sent as `Authorization: Bearer …`; at least 16 characters. Better: `dockapi token create`.', secret: true })),
  allowedHosts: List('Host names, beside the loopback names, under which the API may be called.'),
  corsOrigins: Type.Array(Type.String({ pattern: '^https?://[^/?#@*]+$' }), { default: [], description: 'Browser origins, beside loopback pages, that may call the API; each as `https://name:port`.' }),
  volumeRoots: List('Host folders that may be bind-mounted into containers.'),
  memory: Type.Integer({ default: 1024 * MebiByte, minimum: 6 * MebiByte, description: 'Memory limit of a container that asks for none; `512m`, `2g`.', unit: 'bytes' }),
  cpus: Type.Number({ default: 1, exclusiveMinimum: 0, description: 'CPU limit of a container that asks for none.' }),
  pids: Type.Integer({ default: 512, minimum: 1, description: 'Process limit of a container that asks for none.' }),
  rateLimit: Type.Integer({ default: 60_000, minimum: 0, description: 'Requests that one caller (a token, else an address) may make to the API in a minute; 0 is no limit. What goes to applications does not count.' }),
  rateLimitRedis: Type.Optional(Type.String({ pattern: '^rediss?://', description: 'Redis in which several instances keep one count, as `redis://:password@host:6379`. While it does not answer nothing is limited.', secret: true })),
  maxStreams: Type.Integer({ default: 500, minimum: 1, description: 'Logs, events, statistics and transfers of files and images that may be open at once. One token gets half of these, as of the next four.' }),
  maxExecs: Type.Integer({ default: 100, minimum: 1, description: 'Commands in containers that may be waited for or connected at once.' }),
  maxPulls: Type.Integer({ default: 100, minimum: 1, description: 'Requests to pull an image that may go on at once.' }),
  maxBuilds: Type.Integer({ default: 10, minimum: 1, description: 'Builds of images that may go on at once.' }),
  maxWaits: Type.Integer({ default: 500, minimum: 1, description: 'Requests that run, start, scale or wait for containers that may go on at once.' }),
  clientTimeout: Type.Number({ default: 60, minimum: 1, maximum: 3600, description: 'How long a client may take for the head of a request or a JSON body, stop in the middle of another body, or not read what it asked for, in seconds; then it is cut off.' }),
  maxMemory: Type.Optional(Type.Integer({ minimum: 6 * MebiByte, description: 'Most memory that a container may be given; `512m`, `2g`.', unit: 'bytes' })),
  maxCpus: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Most CPUs that a container may be given.' })),
  maxPids: Type.Optional(Type.Integer({ minimum: 1, description: 'Most processes that a container may be given.' })),
  maxContainers: Type.Optional(Type.Integer({ minimum: 1, description: 'How many containers dockAPI may have made and not removed, stopped ones included.' })),
  capDrop: Type.Array(Type.Union([...CAPABILITIES, 'ALL', 'NONE'].map((name) => Type.Literal(name))), { default: ['AUDIT_WRITE', 'MKNOD', 'NET_RAW'], description: `Capabilities that are taken from every container: some of ${CAPABILITIES.map((name) => `\`${name}\``).join(', ')}, or \`ALL\`, or \`NONE\` to leave it with all of them.` }),
  hostPorts: Type.Array(Type.String({ pattern: '^\\d{1,5}(-\\d{1,5})?$' }), { default: ['1024-65535'], description: 'Ports of the host that may be published when a caller names one, as `8080` or `8000-8999`. Those on which dockAPI listens never are.' }),
  imagesAllow: List('The only images that may be pulled and run, as patterns: `nginx`, `team/*`, `ghcr.io/team/**`. Nothing is built or loaded then.'),
  imagesDeny: List('Images that may not be pulled and run, as patterns. Nothing is built or loaded then.'),
  registries: Type.Array(Type.String({ pattern: '^[a-z0-9.-]+(:\\d{1,5})?$' }), { default: [], description: 'The only registries from which images may be pulled and run, each as `host` or `host:port`; Docker Hub is `docker.io`. Nothing is built or loaded then.' }),
  maxUpload: Type.Integer({ default: 1024 * MebiByte, minimum: 1, description: 'Largest file or archive that is taken into a container or as images; `512m`, `2g`.', unit: 'bytes' }),
  tombstones: Type.Number({ default: 24, minimum: 0, maximum: 8760, description: 'How long what is left of a removed container is kept (exit code, last 64 KiB of its log), in hours; 0 keeps nothing.' }),
  filter: Type.String({ default: 'off', pattern: `^(off|${LISTEN_ADDRESS})$`, description: 'Address and port, such as `127.0.0.1:2375`, of a filtered, read-only view of the engine for other programs (`DOCKER_HOST=tcp://127.0.0.1:2375`). It has no tokens: on another address than loopback, keep it on an internal network.' }),
  filterSections: List('What the filter shows beside `EVENTS`, `PING` and `VERSION`, such as `containers,networks`; `events=0` switches one off. The names are those of `tecnativa/docker-socket-proxy`.'),
  filterEnv: Type.Union([Type.Literal('redacted'), Type.Literal('shown')], { default: 'redacted', description: '`redacted`: the filter leaves out the values of environments, commands in events, and the options of volumes and log drivers; `shown`: it shows them.' }),
  audit: Type.Number({ default: 30, minimum: 0, maximum: 3650, description: 'How long it is kept who changed what, in days; 0 keeps nothing, and the log still says it.' }),
  accessLog: Type.Union([Type.Literal('off'), Type.Literal('on')], { default: 'off', description: '`on`: the gateway logs a line for each request.' }),
  dataDir: Type.Optional(Type.String({ minLength: 1, description: 'Folder for what must outlive a restart; `memory` keeps nothing. Left out: the platform\'s folder for state (`~/.local/state/dockapi`, `~/Library/Application Support/dockapi`, `%LOCALAPPDATA%\\dockapi`).' })),
  logLevel: Type.Union(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level) => Type.Literal(level)), { default: 'info', description: 'How much the server logs.' })
}, { additionalProperties: false })

/** How to reach the engine: the variables of the docker CLI, read as the CLI reads them. */
export type EngineEnvironment = {
  DOCKER_HOST?: string
  DOCKER_CONTEXT?: string
  DOCKER_CONFIG?: string
  DOCKER_TLS?: string
  DOCKER_TLS_VERIFY?: string
  DOCKER_CERT_PATH?: string
  XDG_RUNTIME_DIR?: string
  SSH_AUTH_SOCK?: string
  PATH?: string
}

export type Config = Readonly<Static<typeof ConfigSchema>> & {
  readonly dataDir: string
  readonly engine: Readonly<EngineEnvironment>
  /** Whether somebody chose the gateway's port; when the default one is taken, the server goes on without. */
  readonly isGatewayPortGiven: boolean
}

export type Setting = { key: string, flag: string, variable: string, schema: TSchema }

/** The settings in the order of the schema, with the names that users write. */
export const SETTINGS: readonly Setting[] = Object.entries(ConfigSchema.properties).map(([key, schema]) => {
  const words = key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toLowerCase()
  return { key, flag: `--${words.replaceAll('_', '-')}`, variable: `DOCKAPI_${words.toUpperCase()}`, schema }
})
