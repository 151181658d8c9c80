import { reportUnknown } from './entries.ts'
import type { Entry } from './entries.ts'
import { quoted } from './problems.ts'
import type { Problems } from './problems.ts'
import type { Reader } from './values.ts'

/** What one label below a name does to what is being declared; it answers how the label has to be written when it cannot be read. */
export type Option<Draft> = {
  apply: (draft: Draft, text: string, key: string) => { expected: string } | undefined
  /** A label of one more part, whose case counts: the name of a header. */
  isMap: boolean
  /** The value is nobody's to read again in a list of problems. */
  isSecret: boolean
}

/** The labels of one kind of thing. */
export type OptionTable<Draft> = {
  options: ReadonlyMap<string, Option<Draft>>
  /** Known words that have no effect here, and what to do instead; all that begin so, when it ends in a dot. */
  unsupported?: Readonly<Record<string, string>>
  /** Words that are accepted, for they ask for what is so anyway. */
  accepted?: readonly string[]
  /** Words that may be suggested, when they are more than `options` has. */
  known?: readonly string[]
}

export function option<Draft, T> (read: Reader<T>, set: (draft: Draft, value: T, key: string) => void, { isMap = false, isSecret = false } = {}): Option<Draft> {
  return {
    isMap,
    isSecret,
    apply (draft, text, key) {
      const reading = read(text)
      if ('expected' in reading) return reading
      set(draft, reading.value, key)
      return undefined
    }
  }
}

/** The value of a label, or a report of how it has to be written. */
export function take<T> ({ label, value }: Entry, read: Reader<T>, problems: Problems): T | undefined {
  const reading = read(value)
  if ('value' in reading) return reading.value
  problems.add(label, `${quoted(value)} cannot be read: write ${reading.expected}.`)
  return undefined
}

/** Reads what one label says into the draft, or reports why not. */
export function applyEntry<Draft> (draft: Draft, entry: Entry, { options, unsupported = {}, accepted = [], known = [...options.keys()] }: OptionTable<Draft>, problems: Problems): void {
  const found = findOption(options, entry)
  if (found === undefined) {
    const word = entry.folded.join('.')
    const advice = Object.entries(unsupported).find(([name]) => isNamed(word, name))?.[1]
    if (advice !== undefined) problems.add(entry.label, advice)
    else if (!accepted.some((name) => isNamed(word, name))) reportUnknown(entry, entry.path.join('.'), known, problems)
    return
  }
  const failure = found.option.isMap && !isHeaderName(found.key)
    ? { expected: 'the name of a header behind the last dot' }
    : found.option.apply(draft, entry.value, found.key)
  if (failure !== undefined) problems.add(entry.label, `${found.option.isSecret ? 'The value' : quoted(entry.value)} cannot be read: write ${failure.expected}.`)
}

function findOption<Draft> (options: ReadonlyMap<string, Option<Draft>>, { folded, path }: Entry) {
  for (let parts = folded.length; parts > 0; parts--) {
    const option = options.get(folded.slice(0, parts).join('.'))
    const hasKey = parts < folded.length
    if (option?.isMap === hasKey) return { option, key: path.slice(parts).join('.') }
  }
  return undefined
}

/** RFC 9110 5.6.2. */
function isHeaderName (text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/.test(text)
}

/** `redis.` names every word that begins so; `tls.domains[` too. */
function isNamed (word: string, name: string): boolean {
  return /[.[]$/.test(name) ? word.startsWith(name) : word === name
}
