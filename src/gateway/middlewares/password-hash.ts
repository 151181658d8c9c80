import { createHash, timingSafeEqual } from 'node:crypto'

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/
const APR1 = /^\$apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}$/
const SHA = /^\{SHA\}[A-Za-z0-9+/]{27}=$/
/** A check takes twice as long with each step; at this one a second or two. */
const MAX_COST = 14

/** Whether a check costs so little that it needs no thread. */
export function isQuick (hash: string): boolean {
  return SHA.test(hash)
}

/** What is wrong with a hash of `htpasswd`; undefined when it can be checked. */
export function problemOfHash (hash: string): string | undefined {
  const cost = BCRYPT.exec(hash)?.[1]
  if (cost !== undefined) return Number(cost) >= 4 && Number(cost) <= MAX_COST ? undefined : `has a bcrypt cost of ${Number(cost)}; 4 to ${MAX_COST} can be checked`
  return APR1.test(hash) || SHA.test(hash) ? undefined : 'has a hash that is neither bcrypt ($2y$...), $apr1$ nor {SHA}'
}

export function checkSha (password: string, hash: string): boolean {
  return isSame(`{SHA}${createHash('sha1').update(password).digest('base64')}`, hash)
}

/** In a time that does not tell where they differ. */
export function isSame (one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
