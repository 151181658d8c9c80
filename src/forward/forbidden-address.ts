import { BlockList, isIP } from 'node:net'

const FORBIDDEN = new BlockList()
// Link-local, where clouds keep credentials of the machine (RFC 3927, RFC 4291 2.5.6); multicast; "this host" (RFC 1122 3.2.1.3).
FORBIDDEN.addSubnet('169.254.0.0', 16, 'ipv4')
FORBIDDEN.addSubnet('224.0.0.0', 4, 'ipv4')
FORBIDDEN.addSubnet('0.0.0.0', 8, 'ipv4')
FORBIDDEN.addSubnet('fe80::', 10, 'ipv6')
FORBIDDEN.addSubnet('ff00::', 8, 'ipv6')
FORBIDDEN.addAddress('::', 'ipv6')
// AWS's metadata address for IPv6.
FORBIDDEN.addAddress('fd00:ec2::254', 'ipv6')

/** Whether no upstream may have this IP address, whoever names it. IPv4 in IPv6 counts as IPv4. */
export function isForbiddenAddress (address: string): boolean {
  const family = isIP(address)
  return family !== 0 && FORBIDDEN.check(address, family === 6 ? 'ipv6' : 'ipv4')
}
