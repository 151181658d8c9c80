import type { Config } from '../config/schema.ts'
import { redactUrl } from '../auth/url.ts'
import { escapeUnits, visible } from '../visible.ts'

/** What the log says of a request. */
type LoggedRequest = { method: string, url: string, host: string, ip: string, socket: { remotePort?: number | undefined } }

/** What JSON lets stand as it is although a terminal obeys it (C1, as ESC), or a reader does not see it. */
const UNESCAPED = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu
/** The other control characters but tab and newline, as JSON escapes them; a backslash that is escaped itself begins none. */
const ESCAPED = /\\\\|\\(?:u00[01][0-9a-f]|[rbf])/gi

/**
 * How the server logs, for pino: one JSON object a line, whatever strangers wrote into names, URLs and messages; readable on a terminal, and
 * there too without what it would obey.
 */
export function loggerOptions ({ logLevel }: Pick<Config, 'logLevel'>, isTerminal: boolean) {
  const options = {
    level: logLevel,
    redact: ['req.headers.authorization', 'req.headers.cookie'],
    serializers: { req: describeRequest },
    hooks: { streamWrite: isTerminal ? shownLine : escapedLine }
  }
  return isTerminal ? { ...options, transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname,req,res,reqId,responseTime,audit,access', translateTime: 'HH:MM:ss' } } } : options
}

/** No secret that its URL may carry. */
function describeRequest ({ method, url, host, ip, socket }: LoggedRequest) {
  return { method, url: visible(redactUrl(url)), host: visible(host), remoteAddress: ip, remotePort: socket.remotePort ?? 0 }
}

/** Those characters stand within strings only: the line is the same JSON. */
export function escapedLine (line: string): string {
  return line.replaceAll(UNESCAPED, escapeUnits)
}

/** What is read back from this line shows the escapes as text. */
export function shownLine (line: string): string {
  return line.replaceAll(ESCAPED, (escape) => escape === '\\\\' ? escape : `\\${escape}`).replaceAll(UNESCAPED, (character) => escapeUnits(character).replaceAll('\\', '\\\\'))
}
