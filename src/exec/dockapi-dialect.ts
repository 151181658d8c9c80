import { SIGNALS } from '../../schemas/exec.ts'
import { parseObject, parseSignal, parseSize } from './dialect.ts'
import type { ClientMessage, Dialect } from './dialect.ts'

const PREFIXES = { stdout: Buffer.of(1), stderr: Buffer.of(2) }

/** `dockapi.exec.v1`: binary messages carry data, text messages JSON. */
export const DOCKAPI_DIALECT: Dialect = {
  read: (bytes, isBinary) => isBinary ? { type: 'stdin', bytes } : readControl(bytes),
  started: (execId) => JSON.stringify({ type: 'started', exec_id: execId }),
  output: (name, bytes) => Buffer.concat([PREFIXES[name], bytes]),
  exit: (code, isTruncated) => JSON.stringify({ type: 'exit', exit_code: code, truncated: isTruncated }),
  failure: ({ type: about, ...problem }) => JSON.stringify({ ...problem, about, type: 'error' }),
  complaint: (detail) => JSON.stringify({ type: 'error', code: 'invalid_request', detail })
}

function readControl (bytes: Buffer): ClientMessage {
  const message = parseObject(bytes)
  switch (message?.type) {
    case 'eof': return { type: 'eof' }
    case 'resize': {
      const size = parseSize(message.cols, message.rows)
      return size === undefined ? invalid('resize: cols and rows must be whole numbers from 1 to 65535.') : { type: 'resize', size }
    }
    case 'signal': {
      const name = parseSignal(message.name)
      return name === undefined ? invalid(`signal: name must be one of ${SIGNALS.join(', ')}.`) : { type: 'signal', name }
    }
    default: return invalid('A text message is a JSON object whose type is resize, signal or eof; input is binary.')
  }
}

function invalid (detail: string): ClientMessage {
  return { type: 'invalid', detail }
}
