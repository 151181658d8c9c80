import { isIPv6 } from 'node:net'

/** An address, IPv4 as IPv4 also on a dual-stack socket and without a zone. */
export function plainAddress (address: string): string {
  const [plain] = address.split('%', 1)
  return plain!.startsWith('::ffff:') && plain!.includes('.') ? plain!.slice(7) : plain!
}

/** One caller: an IPv4 address, or the first 64 bits of an IPv6 one, for every host has as many of those as it likes (RFC 4291 2.5.4). */
export function networkOf (address: string): string {
  const plain = plainAddress(address)
  if (!isIPv6(plain)) return plain
  const [head = '', tail] = plain.split('::', 2)
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = tail === undefined ? first : [...first, ...Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0'), ...last]
  return `${groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}
