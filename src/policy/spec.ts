import { denied } from './denial.ts'
import { hostConfig, network } from './host.ts'
import { flag, isObject, list, number, object, optional, record, text, words } from './members.ts'
import type { Judge } from './members.ts'
import { exposedPorts } from './ports.ts'

const image: Judge = (value, rule, circumstances) => typeof value === 'string' ? circumstances.judgeImage(value) : text(value, rule, circumstances)

const healthcheck: Judge = object({ Test: words, Interval: number, Timeout: number, StartPeriod: number, StartInterval: number, Retries: number })

/** Other names in a network are all that may be asked of one: addresses and drivers are the engine's. */
const endpoints: Judge = async (value, rule, circumstances) => [
  ...await record(optional(object({ Aliases: optional(list(text)) })))(value, rule, circumstances),
  ...(await Promise.all(Object.keys(value ?? {}).map(async (name) => await network(name, rule, circumstances)))).flat()
]

/** Members of the host configuration are known by their own names: `Privileged`. */
const host: Judge = (value, rule, circumstances) => isObject(value) ? hostConfig(value, '', circumstances) : denied(rule, `"${rule}" is no object`)

/** The whole object that makes a container. */
export const containerSpec: Judge = object({
  Image: image,
  Hostname: text,
  WorkingDir: text,
  User: text,
  StopTimeout: number,
  StopSignal: text,
  Cmd: words,
  Entrypoint: optional(words),
  Healthcheck: healthcheck,
  Env: optional(list(text)),
  Labels: record(text),
  Tty: flag,
  ExposedPorts: exposedPorts,
  HostConfig: host,
  NetworkingConfig: object({ EndpointsConfig: endpoints })
})
