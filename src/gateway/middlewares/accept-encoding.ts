export type Coding = 'zstd' | 'br' | 'gzip'

/**
 * Which of `codings`, the best first, a client wants most (RFC 9110 12.5.3); undefined for none. `fallback` is for a client that does not say, or says `*`.
 */
export function chooseCoding (header: string | undefined, codings: readonly Coding[], fallback: Coding | undefined): Coding | undefined {
  if (header === undefined) return fallback
  const weights = new Map(header.split(',').map((member) => weightOf(member)))
  const rest = weights.get('*') ?? 0
  let chosen: Coding | undefined
  let most = 0
  for (const coding of codings) {
    const weight = weights.get(coding) ?? (coding === 'gzip' ? weights.get('x-gzip') : undefined)
    if (weight === undefined || weight <= most) continue
    most = weight
    chosen = coding
  }
  if (chosen !== undefined || rest === 0) return chosen
  const unnamed = codings.filter((coding) => !weights.has(coding))
  return fallback !== undefined && unnamed.includes(fallback) ? fallback : unnamed[0]
}

function weightOf (member: string): [coding: string, weight: number] {
  const [coding = '', ...parameters] = member.split(';').map((part) => part.trim().toLowerCase())
  const q = parameters.find((parameter) => parameter.startsWith('q='))
  if (q === undefined) return [coding, 1]
  // What is no weight counts as a refusal.
  return [coding, /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? Number(q.slice(2)) : 0]
}
