import { randomBytes } from 'node:crypto'
import { isImageId, parseReference } from '../images/reference.ts'

/**
 * A name for a container whose caller gave none, where the engine cannot be left to choose one since it must be told before: `node-3f9a2c` for `registry:5000/team/node:18`.
 * @throws DockApiError `invalid_request` on `image`.
 */
export function defaultName (image: string): string {
  const repository = isImageId(image) ? 'container' : parseReference(image).repository
  return `${repository.slice(repository.lastIndexOf('/') + 1).slice(0, 100)}-${randomBytes(3).toString('hex')}`
}
