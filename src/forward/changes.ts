import type { Duplex } from 'node:stream'
import type { HeaderEdit, HeaderList } from './header-list.ts'
import type { Framing } from './response-head.ts'

/** Something that a body goes through on its way. */
export type BodyStep = {
  stream: Duplex
  /** Gives out what it holds back; called when the upstream pauses. */
  flush: (() => void) | undefined
}

/** An upstream's answer before the client gets it; a change edits it in place. Headers for one hop only are gone, framing is not to be touched. */
export type Answer = {
  status: number
  reason: string
  headers: HeaderList
  /** How the upstream ends the body; a body that goes through steps has no length. */
  readonly framing: Framing
  /** What the body goes through, in order. */
  steps: BodyStep[]
  /** Goes to the client in place of the upstream's body. */
  replacement: Buffer | undefined
}

/** What is changed about one exchange, beyond the rules that hold for all. */
export type Changes = {
  /** Made to the headers for the upstream after every rule of the core. */
  readonly requestEdits: readonly HeaderEdit[]
  /** How long the request's body may be, in bytes. */
  readonly maxRequestBytes: number | undefined
  /**
   * Edits the answer; not told of interim answers and of switches. While it waits the answer waits.
   * @throws UpstreamFailure when the client shall not get this answer.
   */
  readonly changeAnswer: ((answer: Answer) => void | Promise<void>) | undefined
}
