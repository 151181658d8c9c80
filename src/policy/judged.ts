declare const judged: unique symbol

/** What was let through, and nothing else since: the engine's calls that make or change a container take no other. Only `src/policy` makes it (lint). */
export type Judged<T> = T & { readonly [judged]: true }

/** The copy that is judged and then sent: what JSON makes of the value, and for good. */
export function frozenCopy<T> (value: T): T {
  return JSON.parse(JSON.stringify(value), (_name, member: unknown) => Object.freeze(member)) as T
}
