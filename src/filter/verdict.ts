import { RULES } from './rules.ts'
import type { Rule } from './rules.ts'
import type { Switch } from './switches.ts'
import { NEVER } from './switches.ts'
import { readTarget } from './target.ts'

export type Verdict =
  /** `path` is written anew, for the engine. */
  | { isPassed: true, rule: Rule, path: string }
  /** `switches`: which would open it; empty when none does. */
  | { isPassed: false, status: 400 | 403, message: string, switches: readonly Switch[] }

type CompiledRule = { rule: Rule, pattern: RegExp }

/** What may stand for a part of a path: names as the engine allows them, and image names with registry, tag and digest. */
const PARTS: Readonly<Record<string, string>> = { '{id}': '[a-zA-Z0-9][\\w.-]*', '{image}': '[a-zA-Z0-9][\\w.:@/-]*' }
const COMPILED: readonly CompiledRule[] = RULES.map((rule) => (
  { rule, pattern: new RegExp(`^${rule.path.replaceAll(/\{\w+\}/g, (part) => PARTS[part]!)}$`) }
))
const SHOWN_LENGTH = 200

/** Whether a request may pass; by default it may not. Pure: nothing is dialled. @param url The target as it was sent. */
export function judge ({ method, url }: { method: string, url: string }, on: ReadonlySet<Switch>): Verdict {
  const target = readTarget(url)
  if (typeof target === 'string') return { isPassed: false, status: 400, message: `dockAPI's filter refuses the request. ${target}`, switches: [] }
  const { version, path, query } = target
  const asked = `${method} ${path.slice(0, SHOWN_LENGTH)}`
  const rule = COMPILED.find((each) => each.rule.method === method && each.pattern.test(path))?.rule
  if (rule === undefined) return never(asked, path)
  if (!rule.opened.some((switches) => switches.every((name) => on.has(name)))) return off(asked, rule, on)
  const unknown = [...query.keys()].find((key) => !rule.query.includes(key))
  if (unknown !== undefined) {
    return { isPassed: false, status: 403, message: `dockAPI's filter refuses ${asked}: it does not pass the parameter ${JSON.stringify(unknown.slice(0, SHOWN_LENGTH))}.`, switches: [] }
  }
  return { isPassed: true, rule, path: version + path + (query.size === 0 ? '' : `?${new URLSearchParams([...query])}`) }
}

function off (asked: string, { opened }: Rule, on: ReadonlySet<Switch>): Verdict {
  const [first = [], ...others] = opened.map((switches) => switches.filter((name) => !on.has(name)))
  const ways = [first, ...others].map((names) => names.join(' and ')).join(' or ')
  const isOne = first.length === 1 && others.length === 0
  return {
    isPassed: false,
    status: 403,
    message: `dockAPI's filter refuses ${asked}: it needs ${ways}, which ${isOne ? 'is' : 'are'} off. Add ${first.join(',')} to DOCKAPI_FILTER_SECTIONS of dockAPI and start it anew to allow it.`,
    switches: first
  }
}

function never (asked: string, path: string): Verdict {
  const section = path.split('/')[1]!.toUpperCase()
  const reason = NEVER[section]
  return {
    isPassed: false,
    status: 403,
    message: `dockAPI's filter never passes ${asked}${reason === undefined ? '' : `: ${reason}`}. It shows the engine; what makes, changes or enters containers is dockAPI's own API, which has a policy and tokens.`,
    switches: []
  }
}
