const UNITS: Record<string, number> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** Reads a size as the docker CLI writes it (`512m`, `1.5g`, `1048576`), in bytes; `undefined` when it is none. */
export function parseBytes (text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text.trim())
  if (match === null) return undefined
  const bytes = Number(match[1]) * (UNITS[match[2]!.toLowerCase()] ?? Number.NaN)
  return Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : undefined
}
