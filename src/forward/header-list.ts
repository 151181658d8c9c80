/** Headers as they go on the wire: name, value, name, value; order, case and repeats count. */
export type HeaderList = string[]

/** What shall be said under a name instead of what is; no values remove it. */
export type HeaderEdit = { name: string, values: readonly string[] }

/** The first value of a header; `name` in lower case. */
export function headerOf (headers: readonly string[], name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]!.length === name.length && headers[index]!.toLowerCase() === name) return headers[index + 1]
  }
  return undefined
}

/** Replaces a header where it stands first, or adds it at the end. */
export function setHeader (headers: HeaderList, name: string, ...values: readonly string[]) {
  replace(headers, values, name, (lower) => lower, name.toLowerCase())
}

export function removeHeader (headers: HeaderList, name: string) {
  setHeader(headers, name)
}

/** Adds a member to a header that is a list, such as `Vary`, unless it is there already. */
export function addToList (headers: HeaderList, name: string, member: string) {
  const lower = name.toLowerCase()
  const all: string[] = []
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]!.toLowerCase() === lower) all.push(...headers[index + 1]!.split(',').map((each) => each.trim()))
  }
  const isThere = all.some((each) => each === '*' || each.toLowerCase() === member.toLowerCase())
  if (!isThere) setHeader(headers, name, [...all.filter((each) => each !== ''), member].join(', '))
}

/**
 * Changes a request's headers. A name stands for all its spellings, also for the one with `_`, which CGI-like servers cannot tell from `-`: what is
 * set or removed here is often who the client is, and it may not say so itself.
 */
export function applyEdits (headers: HeaderList, edits: readonly HeaderEdit[]) {
  for (const { name, values } of edits) replace(headers, values, name, plainName, plainName(name.toLowerCase()))
}

export function plainName (lower: string): string {
  return lower.includes('_') ? lower.replaceAll('_', '-') : lower
}

function replace (headers: HeaderList, values: readonly string[], name: string, plain: (lower: string) => string, wanted: string) {
  let place = -1
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    if (headers[index]!.length !== name.length || plain(headers[index]!.toLowerCase()) !== wanted) continue
    headers.splice(index, 2)
    place = index
  }
  headers.splice(place === -1 ? headers.length : place, 0, ...values.flatMap((value) => [name, value]))
}
