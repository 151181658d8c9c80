import { isIP } from 'node:net'
import type { Claim } from './claim.ts'
import { hostClaimsOf } from './rules/hosts.ts'
import { parseRule } from './rules/parse.ts'
import { RuleError, tellRuleError } from './rules/rule-error.ts'
import { all, hostRule, not } from './rules/rule.ts'
import type { Rule } from './rules/rule.ts'

/** Who has which host. */
export type HostBook = {
  /** Takes down the hosts of a claim. What belongs to another is left out of its rule. */
  enter (claim: Pick<Claim, 'name' | 'owner' | 'wanted'> & { isOperators: boolean }): Entry
  /** Whether requests for a host may go to routes of this owner. */
  isOpenTo (host: string, owner: string): boolean
}

export type Entry = {
  /** The rule as text. */
  text: string
  /** Undefined when nothing is left, or the text is no rule. */
  rule: Rule | undefined
  hosts: string[]
  problems: string[]
}

type Holder = { name: string, owner: string, isOperators: boolean }

/**
 * A host belongs to the owner that is entered first; a stranger's later claim is refused, so that no label takes another's traffic. Addresses are for
 * operators only.
 * @param reserved Hosts of the API, which nobody gets. @param shared Hosts whose paths every owner may claim.
 */
export function createHostBook ({ reserved, shared }: { reserved: readonly string[], shared: readonly string[] }): HostBook {
  const forAll = new Set(shared.map((host) => host.toLowerCase()))
  const ofApi = new Set(reserved.map((host) => host.toLowerCase()))
  const holders = new Map<string, Holder>()
  const operators = new Set<string>()

  function enter ({ name, owner, wanted, isOperators }: Parameters<HostBook['enter']>[0]): Entry {
    const asked = 'rule' in wanted ? knownRule(wanted.rule) : { text: textOf(wanted.hosts), rule: wanted.hosts.length === 0 ? undefined : hostRule(...wanted.hosts) }
    if (asked.rule === undefined) return { text: asked.text, rule: undefined, hosts: [], problems: 'problem' in asked ? [asked.problem] : [] }
    const { exact, patterns, isOpen } = hostClaimsOf(asked.rule)
    const holder: Holder = { name, owner, isOperators }
    if (isOperators) operators.add(owner)
    const refusals = new Map([...exact, ...patterns].flatMap((host) => {
      const refusal = refusalOf(host, holder)
      return refusal === undefined ? [] : [[host, refusal] as const]
    }))
    for (const host of [...exact, ...patterns]) if (!refusals.has(host) && !holders.has(host)) holders.set(host, holder)
    const hosts = exact.filter((host) => !refusals.has(host))
    const isLeft = isOpen || hosts.length > 0 || patterns.some((pattern) => !refusals.has(pattern))
    return { text: 'rule' in wanted ? asked.text : textOf(hosts.length > 0 ? hosts : wanted.hosts), rule: isLeft ? restrict(asked.rule, exact.filter((host) => refusals.has(host))) : undefined, hosts, problems: [...refusals.values()] }
  }

  function refusalOf (host: string, { owner, isOperators }: Holder): string | undefined {
    if (ofApi.has(host)) return `The host ${host} is reserved for the API.`
    if (forAll.has(host)) return undefined
    if (isIP(host) !== 0 && !isOperators) return `The address ${host} is the machine's own, and no container's. Name it in DOCKAPI_SHARED_HOSTS if containers may answer there, or make the route with POST /routes.`
    const holder = holders.get(host)
    if (holder === undefined || holder.owner === owner || (holder.isOperators && isOperators)) return undefined
    return holder.isOperators
      ? `The host ${host} belongs to "${holder.name}", by a rule of the API.`
      : `The host ${host} belongs to "${holder.name}", which is older. Name it in DOCKAPI_SHARED_HOSTS if both may answer there.`
  }

  function isOpenTo (host: string, owner: string): boolean {
    const holder = holders.get(host)
    return holder === undefined || holder.owner === owner || forAll.has(host) || operators.has(owner)
  }

  return { enter, isOpenTo }
}

const KEPT_RULES = 2_000
const knownRules = new Map<string, ReturnType<typeof readRule>>()

/** Tables are built at every change, and rules hardly ever change. */
function knownRule (text: string): ReturnType<typeof readRule> {
  const known = knownRules.get(text) ?? readRule(text)
  if (knownRules.size >= KEPT_RULES) knownRules.delete(knownRules.keys().next().value!)
  knownRules.set(text, known)
  return known
}

function readRule (text: string): { text: string, rule: Rule } | { text: string, rule: undefined, problem: string } {
  try {
    return { text, rule: parseRule(text) }
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    return { text, rule: undefined, problem: `The rule ${tellRuleError(error)}` }
  }
}

function restrict (rule: Rule, taken: readonly string[]): Rule {
  return taken.length === 0 ? rule : all([rule, not(hostRule(...taken))])
}

function textOf (hosts: readonly string[]): string {
  return hosts.map((host) => `Host(\`${host}\`)`).join(' || ')
}
