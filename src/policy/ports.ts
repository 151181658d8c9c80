import { isLoopback } from '../config/loopback.ts'
import { denied } from './denial.ts'
import type { Denial } from './denial.ts'
import { list, object, optional, record, text } from './members.ts'
import type { Judge, PolicyConfig } from './members.ts'

const PORT = /^\d{1,5}\/(tcp|udp|sctp)$/
const ANY_ADDRESS = new Set(['', '0.0.0.0', '::'])

const binding: Judge = async (value, rule, circumstances) => {
  const denials = await object({ HostIp: text, HostPort: text })(value, rule, circumstances)
  if (denials.length > 0) return denials
  const { HostIp: address = '', HostPort: port = '' } = value as { HostIp?: string, HostPort?: string }
  return [...judgeAddress(address, rule, circumstances.config), ...judgePort(port, rule, circumstances.config)]
}

export const exposedPorts: Judge = record(object({}), (name) => PORT.test(name))
export const portBindings: Judge = record(optional(list(binding)), (name) => PORT.test(name))

function judgeAddress (address: string, rule: string, { publishHost }: PolicyConfig): Denial[] {
  if (address === publishHost || isLoopback(address) || ANY_ADDRESS.has(publishHost)) return []
  return denied(rule, `ports are published on ${publishHost}, not on ${address === '' ? 'every address' : address}`, 'DOCKAPI_PUBLISH_HOST')
}

/** Empty and 0: the engine picks a free one, far from those that mean something. */
function judgePort (port: string, rule: string, { port: api, gatewayPort, filter, hostPorts }: PolicyConfig): Denial[] {
  if (port === '' || port === '0') return []
  const wanted = /^\d{1,5}$/.test(port) ? Number(port) : NaN
  if (wanted === api || wanted === gatewayPort || filter.endsWith(`:${wanted}`)) return denied(rule, `dockAPI itself listens on port ${port} of the host`)
  const isAllowed = hostPorts.some((range) => {
    const [first, last = first] = range.split('-').map(Number)
    return wanted >= first! && wanted <= last!
  })
  return isAllowed ? [] : denied(rule, `port ${port} of the host cannot be published: only ${hostPorts.join(', ')} can`, 'DOCKAPI_HOST_PORTS')
}
