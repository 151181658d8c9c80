import type { Problems } from './problems.ts'
import { nearest } from '../suggest.ts'

/** One label, cut at its dots. Label names have no case; what stands for a name of the user's keeps it. */
export type Entry = {
  /** As it is written. */
  label: string
  value: string
  path: readonly string[]
  /** `path` in lower case. */
  folded: readonly string[]
}

/** Labels of one named thing; their paths begin after the name. */
export type NamedEntries = { name: string, entries: Entry[] }

/** Names that mean something else in JavaScript: whoever keeps definitions in an object must never meet one. */
const PROTOTYPE_NAMES = ['__proto__', 'constructor', 'prototype']
const MAX_LABEL = 1024
/** Routes, services or middlewares of one container. */
const MAX_NAMED = 256

/**
 * The labels below a prefix, in alphabetical order so that the outcome never depends on the engine's. Of two that differ in case
 * only the first counts.
 */
export function entriesBelow (prefix: string, labels: Readonly<Record<string, string>>, problems: Problems): Entry[] {
  const values = new Map<string, Entry>()
  for (const label of Object.keys(labels).filter((label) => label.slice(0, prefix.length).toLowerCase() === prefix).sort()) {
    const folded = label.toLowerCase()
    const path = label.slice(prefix.length).split('.')
    const value = String(labels[label])
    const former = values.get(folded)
    if (label.length > MAX_LABEL) problems.add(label, `The name of the label has more than ${MAX_LABEL} characters; it is not read.`)
    else if (path.some((part) => PROTOTYPE_NAMES.includes(part.toLowerCase()))) problems.add(label, `Nothing may be called ${PROTOTYPE_NAMES.join(' or ')}; the label is not read.`)
    else if (former === undefined) values.set(folded, { label, value, path, folded: folded.slice(prefix.length).split('.') })
    else if (former.value !== value) problems.add(label, `The label is the same as ${former.label}, for case does not matter, but says something else; it is not read.`)
  }
  return [...values.values()]
}

/** Puts the labels `<name>.<rest>` of each name together, at most 256 names: one that is left out is left out whole. */
export function namedEntries (entries: readonly Entry[], depth: number, what: string, problems: Problems): NamedEntries[] {
  const named = new Map<string, NamedEntries>()
  for (const entry of entries) {
    const name = entry.path[depth] ?? ''
    const key = name.toLowerCase()
    if (!/^[^\s@,\p{Cc}]{1,256}$/u.test(name)) {
      problems.add(entry.label, `${what} needs a name without blanks, commas and @, of at most 256 characters; the label is not read.`)
    } else if (!named.has(key) && named.size >= MAX_NAMED) {
      problems.add(entry.label, `A container may declare ${MAX_NAMED} of a kind; this one is too many and not read.`)
    } else {
      const item = named.get(key) ?? { name, entries: [] }
      named.set(key, item)
      item.entries.push({ ...entry, path: entry.path.slice(depth + 1), folded: entry.folded.slice(depth + 1) })
    }
  }
  return [...named.values()]
}

/** Says that a label means nothing here, and which was probably meant. `known` are the words that its end `rest` could have been. */
export function reportUnknown ({ label }: Entry, rest: string, known: readonly string[], problems: Problems): void {
  const word = nearest(rest, known)
  const stem = label.slice(0, label.length - rest.length)
  problems.add(label, 'No such label is known here; it has no effect.', word === undefined ? undefined : `${stem}${word}`)
}
