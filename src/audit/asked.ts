/** What of a request names what it is about. None of it has been checked where the request was refused. */
export type AskedRequest = { params: unknown, query: unknown, body: unknown }

/** The container, the image and whatever else a request is about, by its own words. */
export type Asked = { container: string | null, image: string | null, subject: string | null }

/** Parameters, in whichever part of the request they stand. */
export function askedOf ({ params, query, body }: AskedRequest): Asked {
  const inPath = membersOf(params)
  const [inQuery, inBody] = [membersOf(query), membersOf(body)]
  const name = textOf(inBody.name)
  const ofContainer = textOf(inPath.id)
  const other = textOf(inPath.exec_id ?? inPath.route ?? inPath.name ?? inPath.tag)
  return { container: ofContainer ?? null, image: withoutLogin(textOf(inPath.image ?? inBody.image ?? inQuery.image ?? inQuery.tag)), subject: other ?? name ?? null }
}

function membersOf (value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {}
}

function textOf (value: unknown): string | undefined {
  return typeof value === 'string' ? value : Array.isArray(value) ? value.filter((item) => typeof item === 'string').join(', ') : undefined
}

/** A reference has no login; somebody who writes one there is refused, and the password need not be kept. */
function withoutLogin (image: string | undefined): string | null {
  return image?.replace(/^.*@(?!\w+:[0-9a-f]{8})/s, '[redacted]@') ?? null
}
