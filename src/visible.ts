/** Control characters (ESC among them), invisible ones that reorder or join text (U+202E, U+200B), line separators, and halves of characters. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Text of strangers as it may be shown: what a terminal would obey, or a reader would not see, stands there as `\u001b`. */
export function visible (text: string): string {
  return text.replaceAll(HIDDEN, escapeUnits)
}

/** A character as `\u001b`, one beyond U+FFFF as the two of JSON (RFC 8259 section 7). */
export function escapeUnits (character: string): string {
  return character.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
}
