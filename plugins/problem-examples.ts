import { DockApiError } from '../src/errors.ts'
import { TombstoneSchema } from '../schemas/tombstones.ts'
import { problemOf, statusOf } from './errors.ts'

const CONTAINER = '/containers/my-nginx'

/** One failure of each status, as the API would answer it. */
const FAILURES: ReadonlyArray<[DockApiError, string]> = [
  [new DockApiError('invalid_request', 'The body is wrong: image is required.', { fields: [{ where: 'body', pointer: '/image', message: 'is required' }] }), '/containers/run'],
  [new DockApiError('unauthorized', 'This API wants a token.'), CONTAINER],
  [new DockApiError('origin_not_allowed', 'Pages of the origin "https://example.org" may not call the API.'), CONTAINER],
  [new DockApiError('container_not_found', 'There is no container "my-nginx".'), CONTAINER],
  [new DockApiError('not_acceptable', 'This answer comes as text/plain, application/x-ndjson, text/event-stream, and the Accept header wants none of these.'), `${CONTAINER}/logs`],
  [new DockApiError('request_timeout', 'The body stopped arriving for 60 seconds.'), `${CONTAINER}/files`],
  [new DockApiError('container_running', 'The container "my-nginx" is running.'), CONTAINER],
  [new DockApiError('container_removed', 'The container "nightly" is gone: it ran out of memory.', { details: { tombstone: TombstoneSchema.examples![0] as object } }), '/containers/nightly'],
  [new DockApiError('body_too_large', 'The body is larger than 1 MiB.'), '/containers/run'],
  [new DockApiError('unsupported_media_type', 'The body has the content type "text/plain".'), '/containers/run'],
  [new DockApiError('websocket_required', 'This answers as a WebSocket only.'), `${CONTAINER}/exec`],
  [new DockApiError('too_many_streams', 'There are 500 streams and transfers already (DOCKAPI_MAX_STREAMS).'), `${CONTAINER}/logs`],
  [new DockApiError('engine_error', 'The engine said: layer does not exist.'), '/containers/run'],
  [new DockApiError('upstream_failed', 'The container "my-nginx" closed the connection before it answered.'), '/proxy/my-nginx/'],
  [new DockApiError('engine_unavailable', 'The engine cannot be reached at unix:///var/run/docker.sock.'), CONTAINER],
  [new DockApiError('engine_timeout', 'The engine did not answer in 30 seconds.'), CONTAINER]
]

/** An example of a problem document by status, for the OpenAPI document. */
export const PROBLEM_EXAMPLES: Readonly<Record<string, object>> = Object.fromEntries(FAILURES.map(([error, url]) => [statusOf(error), problemOf(error, url, 'req-1')]))
