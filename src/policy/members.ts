import type { Config } from '../config/schema.ts'
import { denied } from './denial.ts'
import type { Denial } from './denial.ts'

export type PolicyConfig = Pick<Config,
  'volumeRoots' | 'publishHost' | 'port' | 'gatewayPort' | 'filter' | 'hostPorts' | 'capDrop' | 'maxMemory' | 'maxCpus' | 'maxPids' | 'maxContainers' | 'imagesAllow' | 'imagesDeny' | 'registries'>

/** A volume that is on the engine, as far as it matters here. */
export type KnownVolume = { driver: string, options: Readonly<Record<string, string>> }

/** What judges need to know beside the value. */
export type Circumstances = {
  config: PolicyConfig
  judgeImage (reference: string): Denial[]
  /** Undefined when there is no such volume yet. */
  findVolume (name: string): Promise<KnownVolume | undefined>
  /** The driver of a network; undefined when there is no such network. */
  networkDriver (reference: string): Promise<string | undefined>
}

/** What is asked of the engine to judge by. */
export type Knowledge = Pick<Circumstances, 'findVolume' | 'networkDriver'>

/** Judges one member of an object. */
export type Judge = (value: unknown, rule: string, circumstances: Circumstances) => Denial[] | Promise<Denial[]>
export type Members = Readonly<Record<string, Judge>>

/** Judges each member of an object by its own judge. What has none is denied: what nobody thought of cannot be asked for. */
export function object (members: Members): Judge {
  return async (value, rule, circumstances) => {
    if (!isObject(value)) return denied(rule, `"${rule}" is no object`)
    const verdicts = Object.entries(value).map(([name, member]) => {
      const inner = rule === '' ? name : `${rule}.${name}`
      return Object.hasOwn(members, name) ? members[name]!(member, inner, circumstances) : denied(inner, `"${inner}" is not among what may be asked for`)
    })
    return (await Promise.all(verdicts)).flat()
  }
}

/** An object of any names. */
export function record (judge: Judge, isName: (name: string) => boolean = () => true): Judge {
  return async (value, rule, circumstances) => {
    if (!isObject(value)) return denied(rule, `"${rule}" is no object`)
    const verdicts = Object.entries(value).map(([name, member]) => isName(name) ? judge(member, rule, circumstances) : denied(rule, `"${name}" is no name that "${rule}" may have`))
    return (await Promise.all(verdicts)).flat()
  }
}

export function list (judge: Judge): Judge {
  return async (value, rule, circumstances) => {
    if (!Array.isArray(value)) return denied(rule, `"${rule}" is no list`)
    return (await Promise.all(value.map((member: unknown) => judge(member, rule, circumstances)))).flat()
  }
}

/** What may be left out in the engine's own way too. */
export function optional (judge: Judge): Judge {
  return (value, rule, circumstances) => value === null ? [] : judge(value, rule, circumstances)
}

export const text: Judge = (value, rule) => typeof value === 'string' && !value.includes('\0') ? [] : denied(rule, `"${rule}" is no text`)
export const flag: Judge = (value, rule) => typeof value === 'boolean' ? [] : denied(rule, `"${rule}" is neither true nor false`)
export const number: Judge = (value, rule) => Number.isFinite(value) ? [] : denied(rule, `"${rule}" is no number`)
export const words: Judge = (value, rule, circumstances) => Array.isArray(value) ? list(text)(value, rule, circumstances) : text(value, rule, circumstances)

export function oneOf (...allowed: string[]): Judge {
  return (value, rule) => typeof value === 'string' && allowed.includes(value) ? [] : denied(rule, `"${rule}" may not be ${JSON.stringify(value)}`)
}

/** For what nobody may ask for: it is there, but empty or false. */
export function nothing (what: string): Judge {
  return (value, rule) => isEmpty(value) ? [] : denied(rule, `${what} cannot be asked for`)
}

function isEmpty (value: unknown): boolean {
  if (value === null || value === false || value === '' || value === 0) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

export function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
