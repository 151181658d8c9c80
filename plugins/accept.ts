/**
 * The media type that a caller would have, of those offered (RFC 9110 section 12.5.1). The first one offered when the caller
 * names none, has no preference, or wants nothing of it: an answer in another form is more use than a refusal.
 */
export function preferredType<const T extends string> (accept: string | undefined, offered: readonly [T, ...T[]]): T {
  const ranges = (accept ?? '*/*').split(',').map(parseRange)
  const [best] = offered.map((type) => ({ type, quality: qualityOf(type, ranges) })).sort((one, other) => other.quality - one.quality)
  return best!.type
}

type Range = { range: string, quality: number }

function parseRange (text: string): Range {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
  return { range, quality: Number.isNaN(quality) ? 0 : quality }
}

/** The most exact range that fits decides. */
function qualityOf (type: string, ranges: Range[]): number {
  const named = (name: string) => ranges.find(({ range }) => range === name)
  return (named(type) ?? named(`${type.split('/', 1)[0]}/*`) ?? named('*/*'))?.quality ?? 0
}
