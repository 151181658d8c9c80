/** How often connections are looked at, in milliseconds. */
const LOOK_MS = 30_000

/**
 * Options of an HTTP server that bound how long the head of a request may take. They have to be given: Node takes the smaller of a minute and
 * `requestTimeout`, which is 0, no limit, where bodies may take as long as they like.
 */
export function headTimeouts (timeoutMs: number) {
  return { headersTimeout: timeoutMs, connectionsCheckingInterval: Math.min(LOOK_MS, Math.ceil(timeoutMs / 2)) }
}
