import { registryOf } from './credentials.ts'
import { isImageId, parseReference } from './reference.ts'

/** Whether an image may be used, by its reference as somebody wrote it. */
export type ImageRule = (reference: string) => boolean

/**
 * Reads patterns of images. Both sides are written out in full first (`nginx` is `docker.io/library/nginx`), so that no spelling gets past.
 * A pattern without a tag stands for every tag; a digest must be asked for (`nginx@*`). `*` stops at a slash, `**`
 * does not. Ids name no repository, and fit nothing.
 */
export function createImageRule (patterns: readonly string[] | undefined): ImageRule {
  if (patterns === undefined) return () => true
  const rules = patterns.map(compile)
  return (reference) => {
    const full = isImageId(reference) ? undefined : fullReference(reference)
    return full !== undefined && rules.some((rule) => rule.test(full))
  }
}

/**
 * Reads patterns of images that may not be used. What a tag forbids no digest brings back: a reference with a digest is judged by its
 * repository alone. Ids are forbidden, since they name none.
 */
export function createImageBan (patterns: readonly string[]): ImageRule {
  const byName = createImageRule(patterns)
  const byRepository = createImageRule(patterns.map((pattern) => `${splitVersion(pattern).repository}@*`))
  return (reference) => patterns.length > 0 && (isImageId(reference) || byName(reference) || byRepository(reference))
}

/** The registry that an image comes from, Docker Hub as `docker.io`; undefined for what is no reference. */
export function registryOfImage (reference: string): string | undefined {
  return isImageId(reference) ? undefined : fullReference(reference)?.split('/', 1)[0]
}

/** `nginx` is `docker.io/library/nginx:latest`; undefined for what is no reference. A digest outweighs a tag, as it does for the engine. */
function fullReference (reference: string): string | undefined {
  try {
    const { repository, tag = 'latest', digest } = parseReference(reference)
    return fullRepository(repository) + (digest === undefined ? `:${tag}` : `@${digest}`)
  } catch {
    return undefined
  }
}

function compile (pattern: string): RegExp {
  const { repository, version = ':*' } = splitVersion(pattern)
  return new RegExp(`^${source(fullRepository(repository))}${source(version).replaceAll('[^/:@]*', '[^/@]*')}$`)
}

function splitVersion (pattern: string): { repository: string, version?: string | undefined } {
  const [, repository = '', version] = /^(.*?)(@[^/]*|:[^/]*)?$/s.exec(pattern)!
  return { repository, version }
}

function source (pattern: string): string {
  return pattern.split(/(\*+)/).map((part) => part === '*' ? '[^/:@]*' : part.startsWith('**') ? '[^@]*' : part.replaceAll(/[.\\+?^${}()|[\]]/g, '\\$&')).join('')
}

/** Docker Hub is `docker.io`, and a name of one part there is in `library` (github.com/distribution/reference). Hosts have no case. */
function fullRepository (repository: string): string {
  const isOnHub = registryOf(repository) === registryOf('')
  if (repository.startsWith('**')) return repository
  if (!isOnHub) return repository.replace(/^[^/]*[.:][^/]*/, (host) => host.toLowerCase()).replace(/^(?:index\.)?docker\.io\//, 'docker.io/')
  const name = repository.replace(/^(?:index\.)?docker\.io\//, '')
  return `docker.io/${name.includes('/') ? name : `library/${name}`}`
}
