import { BlockList, isIP } from 'node:net'
import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import { DockApiError, invalidField } from '../../errors.ts'
import type { Pass } from './passage.ts'
import { plainAddress } from '../../auth/network.ts'

export function createIpAllowList ({ source_range: ranges, reject_status_code: status = 403 }: NonNullable<Definition['ip_allow_list']>): Pass {
  const allowed = new BlockList()
  for (const [index, range] of ranges.entries()) add(allowed, range.trim(), `/ip_allow_list/source_range/${index}`)
  return (passage) => {
    const address = plainAddress(passage.clientAddress)
    const version = isIP(address)
    if (version !== 0 && allowed.check(address, version === 4 ? 'ipv4' : 'ipv6')) return true
    if (status === 403) throw new DockApiError('address_not_allowed', 'This route does not answer to your address.')
    return passage.answer(status, [])
  }
}

function add (allowed: BlockList, range: string, pointer: string) {
  const [address = '', bits] = range.split('/', 2)
  const version = isIP(address)
  const longest = version === 4 ? 32 : 128
  const prefix = bits === undefined ? longest : Number(bits)
  if (version === 0 || !/^\d{1,3}$/.test(bits ?? '0') || prefix > longest) throw invalidField('body', pointer, 'must be an IP address or a network such as 10.0.0.0/8')
  allowed.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6')
}
