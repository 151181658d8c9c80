import { parseObject, parseSize } from './dialect.ts'
import type { ClientMessage, Dialect } from './dialect.ts'

/** Kubernetes KEP-4006: the first byte of each message names its channel; 255 closes the channel that the second byte names. */
const STDIN = 0
const STDOUT = 1
const STDERR = 2
const STATUS = 3
const RESIZE = 4
const CLOSE = 255
const NOTHING = Buffer.alloc(0)

/** `v5.channel.k8s.io`, as `kubectl exec` speaks it. It has no signals: a terminal sends the character. */
export const CHANNEL_DIALECT: Dialect = {
  read: readChannel,
  // An empty message of stdout tells the client that the command runs.
  started: () => message(STDOUT, NOTHING),
  output: (name, bytes) => message(name === 'stdout' ? STDOUT : STDERR, bytes),
  exit: (code) => status(code === 0
    ? { status: 'Success' }
    : { status: 'Failure', reason: 'NonZeroExitCode', message: `command terminated with non-zero exit code: ${code}`, details: { causes: [{ reason: 'ExitCode', message: String(code) }] } }),
  failure: ({ detail, status: code }) => status({ status: 'Failure', reason: code === 504 ? 'Timeout' : 'InternalError', message: detail, code }),
  complaint: () => undefined
}

function readChannel (bytes: Buffer): ClientMessage {
  const payload = bytes.subarray(1)
  switch (bytes[0]) {
    case STDIN: return { type: 'stdin', bytes: payload }
    case RESIZE: {
      const { Width: cols, Height: rows } = parseObject(payload) ?? {}
      const size = parseSize(cols, rows)
      return size === undefined ? { type: 'invalid', detail: 'Channel 4 takes {"Width": columns, "Height": rows}.' } : { type: 'resize', size }
    }
    case CLOSE: return payload[0] === STDIN ? { type: 'eof' } : { type: 'invalid', detail: 'Only channel 0 can be closed by a client.' }
    default: return { type: 'invalid', detail: 'A client sends on the channels 0, 4 and 255.' }
  }
}

function message (channel: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of(channel), bytes])
}

/** `Status` of Kubernetes' API, `metav1`. */
function status (members: object): Buffer {
  return message(STATUS, Buffer.from(JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, ...members })))
}
