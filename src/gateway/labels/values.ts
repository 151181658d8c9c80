import { BlockList, isIP } from 'node:net'
import { parseBytes } from '../../config/bytes.ts'

/** A value, or how it has to be written. */
export type Reading<T> = { value: T } | { expected: string }
export type Reader<T> = (text: string) => Reading<T>

const MAX_ITEMS = 1000

const TRUE = ['true', '1', 't']
const FALSE = ['false', '0', 'f']

/** The spellings that Traefik takes (Go's `strconv.ParseBool`), in any case. */
export function readFlag (text: string): Reading<boolean> {
  const word = text.trim().toLowerCase()
  if (TRUE.includes(word)) return { value: true }
  return FALSE.includes(word) ? { value: false } : { expected: 'true or false' }
}

export function readInteger (minimum: number, maximum = Number.MAX_SAFE_INTEGER): Reader<number> {
  return (text) => {
    const value = /^[+-]?\d{1,16}$/.test(text.trim()) ? Number(text) : Number.NaN
    if (value >= minimum && value <= maximum) return { value }
    return { expected: maximum === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${minimum}` : `a whole number from ${minimum} to ${maximum}` }
  }
}

export const readPort = readInteger(1, 65_535)

/** In bytes: `1048576`, `512k`, `10m`. */
export function readSize (text: string): Reading<number> {
  const value = parseBytes(text)
  return value === undefined ? { expected: 'a size in bytes, such as 1048576 or 10m' } : { value }
}

const SECONDS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 }

/** In seconds: `10s`, `500ms`, `1m30s`, or a plain number of seconds, as Traefik takes them. */
export function readDuration (maximumSeconds: number): Reader<number> {
  return (text) => {
    const value = secondsOf(text.trim())
    if (value > 0 && value <= maximumSeconds) return { value }
    return { expected: `a time such as 10s, 500ms or 1m30s, more than nothing and at most ${maximumSeconds}s` }
  }
}

function secondsOf (text: string): number {
  if (text.length > 32) return Number.NaN
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return Number.NaN
  const parts = [...text.matchAll(/([\d.]+)([a-zµ]+)/g)]
  return Number(parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * SECONDS[unit!]!, 0).toPrecision(12))
}

/** One of a few words, and what each stands for. */
export function readChoice<const T extends string> (choices: Readonly<Record<string, T>>): Reader<T> {
  const table = new Map(Object.entries(choices))
  return (text) => {
    const value = table.get(text.trim().toLowerCase())
    return value === undefined ? { expected: [...table.keys()].join(' or ') } : { value }
  }
}

export const readScheme = readChoice({ http: 'http', https: 'https' })

/** Text that may stand in a header (RFC 9110 5.5). */
export function readText (maximum: number, minimum = 0): Reader<string> {
  return (text) => /^[\t\x20-\x7e\x80-\xff]*$/.test(text) && text.length <= maximum && text.trim().length >= minimum
    ? { value: text.trim() }
    : { expected: `text of ${minimum === 0 ? '' : `at least ${minimum} and `}at most ${maximum} characters without line breaks` }
}

/** A name or a reference, `web`, `web@file`. */
export function readName (text: string): Reading<string> {
  const value = text.trim()
  return /^[^\s\p{Cc},]{1,256}$/u.test(value) ? { value } : { expected: 'a name without blanks and commas, of at most 256 characters' }
}

export function readCookieName (text: string): Reading<string> {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(text.trim()) ? { value: text.trim() } : { expected: 'the name of a cookie: letters, digits and -_.' }
}

export function readHost (text: string): Reading<string> {
  return /^[A-Za-z0-9._:[\]-]{1,253}$/.test(text.trim()) ? { value: text.trim() } : { expected: 'a host name' }
}

/** A path of a request, never one that names a host. */
export function readPath (text: string): Reading<string> {
  const value = text.trim()
  return /^\/(?!\/)[\x21-\x7e]*$/.test(value) && !/[\\#]/.test(value) && value.length <= 2048 ? { value } : { expected: 'a path that begins with /, such as /api' }
}

export function readUrl (text: string): Reading<string> {
  const value = text.trim()
  const url = URL.parse(value)
  const isHttp = url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === ''
  return isHttp && value.length <= 2048 && /^https?:\/\//i.test(value) ? { value } : { expected: 'a URL such as http://auth:9091/verify, without a user name' }
}

/** Some text that is kept as it is written. */
export function readRaw (maximum: number): Reader<string> {
  return (text) => text.length <= maximum && !text.includes('\0') ? { value: text } : { expected: `text of at most ${maximum} characters` }
}

/** An address or network: `10.0.0.0/8`, `fd00::1`. */
export function readNetwork (text: string): Reading<string> {
  const value = text.trim()
  const [address = '', bits] = value.split('/', 2)
  const family = value.length <= 64 ? isIP(address) : 0
  const isNetwork = bits === undefined || (/^\d{1,3}$/.test(bits) && canBeSubnet(address, Number(bits), family))
  return family !== 0 && isNetwork && value.split('/').length <= 2 ? { value } : { expected: 'an IP address or network such as 10.0.0.0/8' }
}

function canBeSubnet (address: string, bits: number, family: number): boolean {
  try {
    new BlockList().addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6')
    return true
  } catch {
    return false
  }
}

/** A list with commas between its entries, one bad entry of which makes all of it unreadable. */
export function readList (readItem: Reader<string>): Reader<string[]> {
  return (text) => {
    const readings = itemsOf(text).map(readItem)
    const bad = readings.find((reading) => 'expected' in reading)
    if (bad !== undefined && 'expected' in bad) return { expected: `a list with commas between, each ${bad.expected}` }
    if (readings.length === 0 || readings.length > MAX_ITEMS) return { expected: `a list of 1 to ${MAX_ITEMS} entries with commas between` }
    return { value: readings.flatMap((reading) => 'value' in reading ? [reading.value] : []) }
  }
}

export function itemsOf (text: string): string[] {
  return text.split(',').map((item) => item.trim()).filter((item) => item !== '')
}
