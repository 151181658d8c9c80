import { invalidField } from '../errors.ts'

/** Where a reader of a log is. */
export type LogCursor = {
  /** What opens the log anew so that nothing that was not read is missed: Unix seconds, for the engine's `since`. Undefined before the first line. */
  readonly since: string | undefined
  /**
   * Counts a line that was read.
   * @returns Its id, or undefined when it was read before, by the reader whose id this cursor began with.
   */
  take (time: string): string | undefined
  /** The log was opened anew at `since`: the lines that were read before come again, and are passed over. */
  rewind (): void
}

const ID = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})(Z|[+-]\d\d:\d\d)~(\d{1,15})$/
/** How far an anchor lies behind at least, in milliseconds. */
const SLACK_MS = 1000

type Anchor = { time: string, count: number }

/**
 * A line's id is `<time of an earlier line>~<how many lines of that time or later were read>`. Time alone will not do: stdout and stderr are stamped before they
 * are written, one after the other, so a line may stand behind one that is later. But what stands in a log from a given time on
 * only grows at its end. The anchor moves along, a second behind at least, and no memory is needed of lines.
 * @param lastId The id to go on from.
 * @throws DockApiError `invalid_request` when it is none.
 */
export function createLogCursor (lastId?: string): LogCursor {
  let anchor = lastId === undefined ? undefined : parseId(lastId)
  let next: Anchor | undefined
  let toSkip = anchor?.count ?? 0
  let second = ''

  function take (time: string): string | undefined {
    if (toSkip > 0) {
      toSkip--
      return undefined
    }
    anchor ??= { time, count: 0 }
    if (time.slice(0, 19) > second) move(time)
    if (time >= anchor.time) anchor.count++
    if (next !== undefined && time >= next.time) next.count++
    return `${anchor.time}~${anchor.count}`
  }

  /** Looked at by the first line of each second: no line before it is of its time or later. */
  function move (time: string) {
    second = time.slice(0, 19)
    const latest = next ?? anchor!
    if (Date.parse(time) - Date.parse(latest.time) < SLACK_MS) return
    if (next !== undefined) anchor = next
    next = { time, count: 0 }
  }

  return {
    get since () { return anchor === undefined ? undefined : unixSeconds(anchor.time) },
    take,
    rewind () { toSkip = anchor?.count ?? 0 }
  }
}

function parseId (id: string): Anchor {
  const match = ID.exec(id)
  if (match === null || !Number.isFinite(Date.parse(`${match[1]}${match[3]}`))) throw invalidField('header', '/last-event-id', 'is no id of this stream', 'Send the id of the last event as it came, or leave the header out.')
  return { time: id.slice(0, id.lastIndexOf('~')), count: Number(match[4]) }
}

/** A time of the engine's as it wants it in `since`. */
export function unixSeconds (time: string): string {
  const [, base, fraction, zone] = /^(.*)\.(\d{9})(.*)$/.exec(time) ?? []
  return base === undefined ? String(Date.parse(time) / 1000) : `${Date.parse(`${base}${zone}`) / 1000}.${fraction}`
}
