import { createHash } from 'node:crypto'

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Which bytes of the digest stand together, the most significant first. */
const GROUPS = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] as const
const ROUNDS = 1000

/** The hash of a password as Apache's `htpasswd -m` and `openssl passwd -apr1` write it, with its `$apr1$<salt>$`. */
export function apr1 (password: string, salt: string): string {
  const secret = Buffer.from(password)
  const inner = md5(secret, salt, secret)
  const parts: Array<Buffer | string> = [secret, '$apr1$', salt]
  for (let left = secret.length; left > 0; left -= 16) parts.push(inner.subarray(0, Math.min(16, left)))
  for (let bits = secret.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? '\0' : secret.subarray(0, 1))
  let digest = md5(...parts)
  for (let round = 0; round < ROUNDS; round++) {
    const isOdd = (round & 1) === 1
    digest = md5(isOdd ? secret : digest, ...(round % 3 === 0 ? [] : [salt]), ...(round % 7 === 0 ? [] : [secret]), isOdd ? digest : secret)
  }
  const text = GROUPS.map(([a, b, c]) => encode(digest[a]! << 16 | digest[b]! << 8 | digest[c]!, 4)).join('')
  return `$apr1$${salt}$${text}${encode(digest[11]!, 2)}`
}

function md5 (...parts: Array<Buffer | string>): Buffer {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Six bits a character, the least significant first. */
function encode (bits: number, length: number): string {
  return Array.from({ length }, (_, index) => ALPHABET[bits >> 6 * index & 63]).join('')
}
