import { createHash, timingSafeEqual } from 'node:crypto'

export type TokenCheck = (authorization: string | undefined) => boolean

/**
 * Whether an `Authorization` header carries dockAPI's own token. Digests are compared, so neither the length of the token nor
 * a matching prefix shows in the time. The forwarding path asks the same, to keep the token from containers.
 */
export function createTokenCheck (token: string | undefined): TokenCheck {
  if (token === undefined) return () => false
  const expected = digest(token)
  return (authorization) => {
    const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    return given !== undefined && timingSafeEqual(digest(given), expected)
  }
}

function digest (text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
