/** Everything in a JSON text that tells where a member stands; strings are taken whole, so that nothing in them counts. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\],]/gs

/** An object or a list that is not closed yet: the names that it had (an object's only), and which member is read now. */
type Open = { names: Set<string> | undefined, at: string | number }

/**
 * The first member of a JSON text that its object has already, as a JSON pointer (RFC 6901). Readers differ in which of two they take
 * (RFC 8259 section 4), so that what something in front of the API allowed need not be what the API does.
 * @param text What `JSON.parse` accepts.
 */
export function repeatedMember (text: string): string | undefined {
  const open: Open[] = []
  for (const [token, colon] of text.matchAll(TOKEN)) {
    const inner = open.at(-1)
    if (token === '{') open.push({ names: new Set(), at: '' })
    else if (token === '[') open.push({ names: undefined, at: 0 })
    else if (token === '}' || token === ']') open.pop()
    else if (inner !== undefined && token === ',' && typeof inner.at === 'number') inner.at++
    else if (inner?.names !== undefined && colon !== undefined) {
      const name = JSON.parse(token.slice(0, -colon.length)) as string
      inner.at = name
      if (inner.names.has(name)) return open.map(({ at }) => `/${String(at).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
      inner.names.add(name)
    }
  }
  return undefined
}
