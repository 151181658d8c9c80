import { invalidField } from '../errors.ts'
import type { FieldError } from '../errors.ts'

export type ImageReference = {
  /** Registry and path without tag or digest, as it was written. */
  repository: string
  tag: string | undefined
  digest: string | undefined
}

/** Grammar of github.com/distribution/reference: lower-case path components, a registry that may carry a port. */
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const REGISTRY = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\\[[0-9a-fA-F:]+\\])(?::\\d{1,5})?'
const REFERENCE = new RegExp(`^((?:${REGISTRY}/)?${COMPONENT}(?:/${COMPONENT})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@([a-z0-9+._-]+:[0-9a-fA-F]{32,}))?$`)

/**
 * Takes an image reference apart: `nginx`, `registry:5000/team/app:1.2`, `alpine@sha256:…`.
 * @param where The part of the request that holds it, and `pointer` its field, for the error.
 * @throws DockApiError `invalid_request` on the field.
 */
export function parseReference (text: string, where: FieldError['where'] = 'body', pointer = '/image'): ImageReference {
  const match = REFERENCE.exec(text)
  if (match === null) {
    const hint = text !== text.toLowerCase() ? 'Names of images are lower-case.' : 'Write name:tag, such as nginx:latest or registry.example.com:5000/team/app:1.2.'
    throw invalidField(where, pointer, `"${text}" is no image reference`, hint)
  }
  return { repository: match[1]!, tag: match[2], digest: match[3] }
}

/** The whole reference; no tag and no digest means `latest`. */
export function formatReference ({ repository, tag, digest }: ImageReference): string {
  if (digest !== undefined) return `${repository}${tag === undefined ? '' : `:${tag}`}@${digest}`
  return `${repository}:${tag ?? 'latest'}`
}

/**
 * A reference with the tag that stands beside it in a request.
 * @throws DockApiError `invalid_request` when it has one already, or a digest.
 */
export function withTag (image: string, tag: string | undefined): string {
  if (tag === undefined) return image
  const { repository, tag: own, digest } = parseReference(image)
  if (own !== undefined || digest !== undefined) throw invalidField('body', '/tag', `is given, but image "${image}" names a version already`)
  return `${repository}:${tag}`
}

/** Whether the text can only be the id of an image on this engine, which no registry has. */
export function isImageId (text: string): boolean {
  return /^(sha256:)?[0-9a-f]{64}$/.test(text) || /^sha256:[0-9a-f]{6,64}$/.test(text)
}

/**
 * What names an image that is on the engine: a reference, an id, or the beginning of one, which the engine resolves.
 * @throws DockApiError `invalid_request` on the field `image`.
 */
export function localReference (text: string, where: FieldError['where']): string {
  if (!isImageId(text)) parseReference(text, where)
  return text
}
