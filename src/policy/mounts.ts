import { judgeBind } from './binds.ts'
import { denied } from './denial.ts'
import type { Denial } from './denial.ts'
import { flag, list, nothing, number, object, oneOf, optional, record, text } from './members.ts'
import type { Circumstances, Judge } from './members.ts'

/** File systems that hold nothing of the host: an ordinary volume, memory, the network. An overlay, a device or a bind does. */
const HARMLESS_TYPES = new Set(['', 'tmpfs', 'nfs', 'nfs4', 'cifs', 'smb3'])
const BINDING = /(^|,)\s*r?bind\s*(,|$)/

const members = object({
  Type: oneOf('bind', 'volume', 'tmpfs'),
  Source: text,
  Target: text,
  ReadOnly: flag,
  Consistency: nothing('another consistency of mounts'),
  BindOptions: optional(nothing('options of binds')),
  VolumeOptions: optional(object({ Labels: optional(record(text)), NoCopy: flag, DriverConfig: optional(nothing('volume drivers and their options, which can bind host folders,')) })),
  TmpfsOptions: optional(object({ SizeBytes: number, Mode: number }))
})

/** What is mounted: folders of the host inside the roots, volumes that bind nothing else, memory. */
export const mounts: Judge = list(async (mount, rule, circumstances) => {
  const denials = await members(mount, rule, circumstances)
  const { Type: type, Source: source = '' } = mount as { Type?: unknown, Source?: string }
  if (denials.length > 0) return denials
  if (type === 'bind') return await judgeBind(source, circumstances.config.volumeRoots)
  return type === 'volume' && source !== '' ? await judgeVolume(source, rule, circumstances) : []
})

/**
 * A volume that is there already may be a folder of the host by another name (docker volume create -o type=none -o o=bind -o device=/): then
 * it is judged as one. What a network file system holds is its maker's business.
 */
async function judgeVolume (name: string, rule: string, { config, findVolume }: Circumstances): Promise<Denial[]> {
  const volume = await findVolume(name)
  const { type = '', device = '', o = '', ...others } = volume?.options ?? {}
  if (BINDING.test(o)) return await judgeBind(device, config.volumeRoots)
  const isHarmless = volume?.driver === 'local' ? HARMLESS_TYPES.has(type) : !Object.values({ device, ...others }).some((value) => value.startsWith('/'))
  return isHarmless ? [] : denied(rule, `the volume "${name}" shows what is on the host: its options are ${JSON.stringify(volume?.options)}`)
}
