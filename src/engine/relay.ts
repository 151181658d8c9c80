import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type Docker from 'dockerode'
import { DockApiError } from '../errors.ts'
import type { CallOptions, Engine } from './engine.ts'
import type { Modem } from './modem.ts'

/** A request in the words of the Docker API: `/v1.41/containers/json?all=1`. It has no body. */
export type Question = { method: string, path: string }

export type WholeAnswer = { status: number, headers: IncomingHttpHeaders, body: Buffer }

export type RelayOptions = Required<Pick<CallOptions, 'timeoutMs' | 'signal'>> & Pick<CallOptions, 'isLong'>

/** The largest answer that is kept whole, in bytes: some ten thousand containers. */
const MAX_ANSWER_BYTES = 32 * 1024 ** 2

/**
 * Asks the engine in the caller's own words and reads the whole answer, whatever its status.
 * @throws DockApiError as `Engine.call`; `feature_disabled` when a socket proxy before the engine refuses; `engine_error` when the answer is too large.
 */
export function relayWhole (engine: Engine, question: Question, options: RelayOptions): Promise<WholeAnswer> {
  return engine.call('relay', async (docker, abortSignal) => {
    const response = await modemOf(docker).relay(question, abortSignal)
    return { status: response.statusCode!, headers: response.headers, body: await readWhole(response) }
  }, options)
}

/** The same, of which the body comes as the engine writes it; `signal` ends it at any time. The deadline is for its beginning. */
export function relayStream (engine: Engine, question: Question, options: RelayOptions): Promise<IncomingMessage> {
  return engine.open('relay', (docker, abortSignal) => modemOf(docker).relay(question, abortSignal), options)
}

async function readWhole (response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) throw new DockApiError('engine_error', `The engine's answer is larger than ${MAX_ANSWER_BYTES} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function modemOf (docker: Docker): Modem {
  return (docker as unknown as { modem: Modem }).modem
}
