import { invalidField } from '../errors.ts'
import type { ListQuery } from '../../schemas/containers.ts'
import type { ContainerSummary } from '../engine/containers.ts'
import { nameOf } from './lookup.ts'

export type Page = {
  items: ContainerSummary[]
  /** Where the next page begins; undefined on the last. */
  nextCursor: string | undefined
}

/** Newest first, then by id: an order that holds while containers come and go. */
function compare (a: { Created: number, Id: string }, b: { Created: number, Id: string }): number {
  return b.Created - a.Created || (a.Id < b.Id ? -1 : 1)
}

/**
 * The part of the list that a query asks for. A cursor names the last container of the page before, so that nothing is
 * shown twice or passed over when others come or go.
 */
export function selectPage (all: readonly ContainerSummary[], { name, image, limit, cursor }: ListQuery): Page {
  const after = cursor === undefined ? undefined : decodeCursor(cursor)
  const matches = all
    .filter((summary) => name === undefined || nameOf(summary.Names).includes(name))
    .filter((summary) => image === undefined || isImage(summary.Image, image))
    .sort(compare)
    .filter((summary) => after === undefined || compare(after, summary) < 0)
  if (limit === undefined || matches.length <= limit) return { items: matches, nextCursor: undefined }
  const items = matches.slice(0, limit)
  return { items, nextCursor: encodeCursor(items.at(-1)!) }
}

function isImage (image: string, wanted: string): boolean {
  return image === wanted || image === `${wanted}:latest` || image.startsWith(`${wanted}:`) || image.startsWith(`${wanted}@`)
}

function encodeCursor ({ Created, Id }: ContainerSummary): string {
  return Buffer.from(`${Created}:${Id}`).toString('base64url')
}

function decodeCursor (cursor: string): { Created: number, Id: string } {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(Buffer.from(cursor, 'base64url').toString())
  if (match === null) throw invalidField('query', '/cursor', 'was not given by this API', 'Take it from the Link header of the page before.')
  return { Created: Number(match[1]), Id: match[2]! }
}
