/** Characters that mean something in a URL (RFC 3986 2.2), and `%`: decoded they would make it another URL. */
const RESERVED = /%(3a|2f|3f|23|5b|5d|40|21|24|26|27|28|29|2a|2b|2c|3b|3d|25)/gi
const ENCODED_RUN = /(?:%[0-9a-f]{2})+/gi

/**
 * A path as rules see it; what is forwarded stays as it came. Percent-encoded characters are decoded but for the reserved ones, whose digits
 * become upper case (RFC 3986 6.2.2), and neighbouring slashes are one: many an application reads `//admin` and `/%61dmin` as `/admin`, and a
 * rule about `/admin` must not be got round by writing it so.
 */
export function matchedPath (path: string): string {
  const decoded = path.includes('%') ? path.replaceAll(ENCODED_RUN, decodeRun) : path
  return decoded.includes('//') ? decoded.replaceAll(/\/{2,}/g, '/') : decoded
}

function decodeRun (run: string): string {
  try {
    return decodeURIComponent(run.replaceAll(RESERVED, (escape) => `%25${escape.slice(1).toUpperCase()}`))
  } catch {
    // Bytes that are no UTF-8 have no characters.
    return run
  }
}
