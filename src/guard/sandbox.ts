import type { IncomingHttpHeaders } from 'node:http'

/**
 * A page of a container that is served under the API's own origin runs in an origin of its own (`null`): without
 * `allow-same-origin` its scripts can neither read the API nor script its pages, and their requests carry `Origin: null`.
 */
export const SANDBOX_POLICY = 'sandbox allow-downloads allow-forms allow-modals allow-pointer-lock allow-popups allow-presentation allow-scripts'

/**
 * The `Content-Security-Policy` to add (never to replace: several policies all hold) to an answer from a container, or `undefined` for
 * scripts and API clients. It goes on every answer to a browser: elsewhere than on documents it has no effect, and which answers end
 * as documents (frames, embedded objects, cached copies, browsers without `Sec-Fetch-Dest`) need not be guessed.
 */
export function sandboxPolicyFor (headers: IncomingHttpHeaders): string | undefined {
  return isBrowser(headers) ? SANDBOX_POLICY : undefined
}

/** `Sec-Fetch-*` is sent to trustworthy addresses only, so older signs count too. A page cannot remove all of them. */
function isBrowser (headers: IncomingHttpHeaders): boolean {
  return headers['sec-fetch-mode'] !== undefined || headers['sec-fetch-site'] !== undefined || headers['sec-fetch-dest'] !== undefined ||
    headers.origin !== undefined || headers.referer !== undefined ||
    headers.accept?.includes('text/html') === true || headers['user-agent']?.startsWith('Mozilla/') === true
}
