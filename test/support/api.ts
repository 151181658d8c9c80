import { TEST_LABELS } from './engine.ts'

export type Answer<T = Record<string, unknown>> = { status: number, headers: Headers, body: T }

/** A small client of the API: JSON in, JSON out, the status beside it. */
export function createClient (url: string, headers: Record<string, string> = {}) {
  async function call<T = Record<string, unknown>> (method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const response = await fetch(url + path, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    return { status: response.status, headers: response.headers, body: await response.json() as T }
  }

  return {
    call,
    get: <T = Record<string, unknown>> (path: string) => call<T>('GET', path),
    post: <T = Record<string, unknown>> (path: string, body?: unknown) => call<T>('POST', path, body),
    patch: <T = Record<string, unknown>> (path: string, body?: unknown) => call<T>('PATCH', path, body),
    delete: <T = Record<string, unknown>> (path: string) => call<T>('DELETE', path),
    /** Runs a container that is removed with everything else that this test makes. */
    run: <T = Record<string, unknown>> (body: Record<string, unknown>) => call<T>('POST', '/containers/run', { ...body, labels: { ...body.labels as object, ...TEST_LABELS } })
  }
}
