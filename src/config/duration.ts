const UNITS_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Reads a length of time (`90s`, `15m`, `12h`, `30d`), in seconds; `undefined` when it is none. */
export function parseDuration (text: string): number | undefined {
  const match = /^([1-9]\d{0,8})([smhd])$/.exec(text.trim())
  return match === null ? undefined : Number(match[1]) * UNITS_SECONDS[match[2]!]!
}
