/** A request as a socket proxy sees it. */
export type EngineRequest = { method: string, path: string }

/**
 * Which switches of a socket proxy before the engine are off, learned from what it refuses and what it lets through. Names are those of
 * tecnativa/docker-socket-proxy: the first part of a path, and `POST` for every method that changes something.
 */
export type Sections = {
  allowed (request: EngineRequest): void
  /** Notes a refusal and returns the switches that may be the reason: those that the proxy named, where it does. */
  refused (request: EngineRequest, named?: readonly string[]): string[]
  /** Every switch that is off, in order of the alphabet. */
  disabled (): string[]
}

/** That proxy lets these through by switches of their own (`ALLOW_START` and so on) while `POST` is off. */
const ALLOWED_WITHOUT_POST = /^\/containers\/[^/]+\/(?:start|stop|restart|kill)$/

export function createSections (): Sections {
  const on = new Set<string>()
  const off = new Set<string>()

  function allowed (request: EngineRequest) {
    const names = ALLOWED_WITHOUT_POST.test(plainPath(request)) ? [] : switchesOf(request)
    for (const name of names) {
      on.add(name)
      off.delete(name)
    }
  }

  function refused (request: EngineRequest, named?: readonly string[]) {
    const blamed = named === undefined ? suspectsOf(request) : [...named]
    for (const name of blamed) {
      off.add(name)
      on.delete(name)
    }
    return blamed
  }

  function suspectsOf (request: EngineRequest) {
    const names = switchesOf(request)
    const suspects = names.filter((name) => !on.has(name))
    // When each was on a moment ago, the proxy was changed: suspect the last to be asked.
    return suspects.length > 0 ? suspects : names.slice(-1)
  }

  return { allowed, refused, disabled: () => [...off].sort() }
}

function switchesOf (request: EngineRequest): string[] {
  const section = plainPath(request).split('/')[1]!.replace('_', '').toUpperCase()
  return ['GET', 'HEAD'].includes(request.method) ? [section] : [section, 'POST']
}

/** Without the version and the query. */
function plainPath ({ path }: EngineRequest): string {
  return path.split('?', 1)[0]!.replace(/^\/v\d+\.\d+(?=\/)/, '')
}
