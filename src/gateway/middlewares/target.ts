/** The path and the query, with its `?`, of a target in origin-form; not one byte changed. */
export function splitTarget (target: string): { path: string, query: string } {
  const mark = target.indexOf('?')
  return mark === -1 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark) }
}

/** Text of a definition as a part of a path: what would end the path, or the request line, is encoded (RFC 3986 2.1). */
export function encodePathPart (text: string): string {
  return text.toWellFormed().replaceAll(/[\0-\x20"#<>?\\^`{|}\x7f-\u{10ffff}]/gu, (character) => encodeURIComponent(character))
}

export function withLeadingSlash (path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}
