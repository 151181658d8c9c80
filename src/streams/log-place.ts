import { invalidField } from '../errors.ts'
import type { LogLine } from './log-lines.ts'

/** Where a line stands among those of several containers: by time, then by container, then in the order of its log. */
export type Place = { time: string, container: string, count: number }

const ID = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d))~([0-9a-f]{12})~(\d{1,15})$/

/**
 * Gives the lines of one container their places. Within a container nothing changes its order: a line that is stamped earlier than the one
 * before it counts as of the same time.
 */
export function createPlaces (containerId: string): (line: LogLine) => Place {
  const container = containerId.slice(0, 12)
  let time = ''
  let count = 0
  return (line) => {
    count = line.time > time ? 1 : count + 1
    if (line.time > time) time = line.time
    return { time, container, count }
  }
}

export function comparePlaces (one: Place, other: Place): number {
  if (one.time !== other.time) return one.time < other.time ? -1 : 1
  if (one.container !== other.container) return one.container < other.container ? -1 : 1
  return one.count - other.count
}

export function idOfPlace ({ time, container, count }: Place): string {
  return `${time}~${container}~${count}`
}

/** @throws DockApiError `invalid_request` when it is no id. */
export function parsePlace (id: string): Place {
  const [, time, container, count] = ID.exec(id) ?? []
  if (time === undefined || !Number.isFinite(Date.parse(time))) throw invalidField('header', '/last-event-id', 'is no id of this stream', 'Send the id of the last event as it came, or leave the header out.')
  return { time, container: container!, count: Number(count) }
}
