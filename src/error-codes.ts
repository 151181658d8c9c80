/** What went wrong in a word; the API maps each to one HTTP status. */
export type ErrorKind =
  | 'invalid' | 'unauthorized' | 'forbidden' | 'not-found' | 'conflict' | 'gone' | 'not-acceptable' | 'unsupported' | 'method-not-allowed' | 'too-large'
  | 'too-many' | 'internal' | 'not-implemented' | 'bad-gateway' | 'unavailable' | 'timeout' | 'aborted' | 'loop' | 'too-slow' | 'header-too-large'

type ErrorEntry = { kind: ErrorKind, title: string, hint?: string, retryable?: boolean }

const entries = {
  invalid_request: { kind: 'invalid', title: 'Invalid request', hint: 'Correct the named fields; /docs shows the shape of every request.' },
  invalid_json: { kind: 'invalid', title: 'Body is not JSON', hint: 'Send a JSON document with the header content-type: application/json.' },
  image_not_found: { kind: 'invalid', title: 'Image not found', hint: 'Check the name and the tag; a private image needs credentials (docker login, or auth in the request).' },
  image_not_local: { kind: 'invalid', title: 'Image is not on this engine', hint: 'Pull it first with POST /images/pull, or leave out pull: never.' },
  registry_auth: { kind: 'invalid', title: 'Registry wants credentials', hint: 'Pass auth with username and password, or log in on the engine\'s machine.' },
  registry_unreachable: { kind: 'invalid', title: 'Registry cannot be reached', hint: 'Check the network of the engine\'s machine and the registry name.', retryable: true },
  rate_limited: { kind: 'invalid', title: 'Registry limits the rate', hint: 'Wait, or pull with credentials.', retryable: true },
  platform_unavailable: { kind: 'invalid', title: 'Image has no such platform', hint: 'Leave out platform, or name one that the image has.' },
  port_conflict: { kind: 'invalid', title: 'Host port is taken', hint: 'Leave out host_port (or send 0) and the engine picks a free one.' },
  no_port: { kind: 'invalid', title: 'No port to reach', hint: 'Give container_port: the TCP port that the application listens on inside the container.' },
  invalid_volume: { kind: 'invalid', title: 'Invalid volume', hint: 'Write host:container[:ro|rw], for example C:/host/data:/data:ro, or name:/data for a named volume.' },
  invalid_command: { kind: 'invalid', title: 'Command cannot be started', hint: 'Check that the program exists in the image and is executable.' },
  network_not_found: { kind: 'invalid', title: 'Network not found', hint: 'Create it with docker network create, or leave out network.' },
  engine_refused: { kind: 'invalid', title: 'The engine refused the request' },
  too_many_containers: { kind: 'invalid', title: 'Too many containers match', hint: 'Choose fewer with label, name or container.' },
  unauthorized: { kind: 'unauthorized', title: 'Token needed', hint: 'Send the header Authorization: Bearer <DOCKAPI_TOKEN>.' },
  host_not_allowed: { kind: 'forbidden', title: 'Host is not allowed', hint: 'Call the API by a loopback name, or add this name to DOCKAPI_ALLOWED_HOSTS.' },
  origin_not_allowed: { kind: 'forbidden', title: 'Origin is not allowed', hint: 'Add the page\'s origin to DOCKAPI_CORS_ORIGINS if it may control containers.' },
  policy_denied: { kind: 'forbidden', title: 'Refused by policy' },
  feature_disabled: { kind: 'forbidden', title: 'The engine does not allow this', hint: 'The engine sits behind a socket proxy that refuses this section; switch the section on there.' },
  route_not_found: { kind: 'not-found', title: 'No such route', hint: 'See /docs for every route.' },
  host_not_found: { kind: 'not-found', title: 'No container answers at this host', hint: 'GET /routes of the API lists every host and says why a container has none.' },
  container_not_found: { kind: 'not-found', title: 'Container not found', hint: 'GET /containers lists the containers that this API manages.' },
  container_removed: { kind: 'gone', title: 'Container is gone', hint: 'tombstone says how it ended; GET /containers/{id}/logs still answers its last lines.' },
  build_failed: { kind: 'invalid', title: 'Build failed', hint: 'step says which instruction failed, log_tail what it printed last.' },
  no_such_image: { kind: 'not-found', title: 'No such image on this engine', hint: 'GET /images lists the images; POST /images/pull gets more.' },
  method_not_allowed: { kind: 'method-not-allowed', title: 'Method is not allowed here' },
  ambiguous_id: { kind: 'conflict', title: 'Several containers match', hint: 'Use more characters of the id, or the whole name.' },
  name_conflict: { kind: 'conflict', title: 'Name is taken', hint: 'Choose another name, remove the other container, or send if_exists.' },
  container_running: { kind: 'conflict', title: 'Container is running', hint: 'Stop it first, or send force=true.' },
  container_not_running: { kind: 'conflict', title: 'Container is not running', hint: 'Start it with POST /containers/{id}/start.' },
  container_paused: { kind: 'conflict', title: 'Container is paused', hint: 'Resume it with POST /containers/{id}/unpause.' },
  container_exited: { kind: 'timeout', title: 'Container exited before it was ready', hint: 'exit_code and log_tail in this answer say what it did last.' },
  image_in_use: { kind: 'conflict', title: 'Image is in use', hint: 'Remove the containers that were made from it, or, when they are stopped, send force=true.' },
  engine_conflict: { kind: 'conflict', title: 'The engine is in conflict' },
  logs_unavailable: { kind: 'conflict', title: 'Logs cannot be read', hint: 'The container\'s log driver does not keep logs; use json-file, local or journald.' },
  not_acceptable: { kind: 'not-acceptable', title: 'No such form of this answer', hint: 'Send one of the named media types in the header Accept, or leave it out.' },
  unsupported_media_type: { kind: 'unsupported', title: 'Content type is not supported', hint: 'Send the header content-type: application/json.' },
  request_timeout: { kind: 'too-slow', title: 'Request did not arrive in time', retryable: true },
  body_too_large: { kind: 'too-large', title: 'Body is too large' },
  headers_too_large: { kind: 'header-too-large', title: 'Headers are too large' },
  too_many_streams: { kind: 'too-many', title: 'Too many open streams', hint: 'Close some of them first.', retryable: true },
  engine_error: { kind: 'internal', title: 'The engine failed' },
  internal_error: { kind: 'internal', title: 'Internal error', hint: 'The server\'s log has the cause under this request id.' },
  upgrade_required: { kind: 'not-implemented', title: 'Only plain HTTP here' },
  upstream_failed: { kind: 'bad-gateway', title: 'The container did not answer properly', hint: 'Check that the application listens on its port on all addresses, and its logs.', retryable: true },
  upstream_timeout: { kind: 'timeout', title: 'The container did not answer in time', retryable: true },
  upstream_not_running: { kind: 'unavailable', title: 'Container is not running', hint: 'Start it with POST /containers/{id}/start.', retryable: true },
  upstream_not_ready: { kind: 'unavailable', title: 'Container is not ready', hint: 'Try again in a moment; GET /routes of the API shows what each container is waiting for.', retryable: true },
  proxy_loop: { kind: 'loop', title: 'Proxy loop' },
  engine_unavailable: { kind: 'unavailable', title: 'The engine cannot be reached', hint: 'Start Docker, or point DOCKER_HOST at an engine. GET /healthz tells what was tried.', retryable: true },
  shutting_down: { kind: 'unavailable', title: 'The server is shutting down', retryable: true },
  engine_timeout: { kind: 'timeout', title: 'The engine did not answer in time', retryable: true },
  not_ready: { kind: 'timeout', title: 'The container did not become ready in time', hint: 'See last_probe and log_tail; check health_path and container_port, or raise wait_timeout.' },
  still_running: { kind: 'timeout', title: 'The container did not end in time', hint: 'It goes on running. Raise the timeout, or stop it.' },
  exec_timeout: { kind: 'timeout', title: 'The command did not end in time', hint: 'Raise timeout. The command was ended.' },
  build_timeout: { kind: 'timeout', title: 'The build did not end in time', hint: 'Make the image in smaller steps, or build it elsewhere and pull it.' },
  client_gone: { kind: 'aborted', title: 'The client went away' }
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof entries

/** Every code that an answer can carry. Codes are stable and never reused; `docs/errors.md` lists the same (tested). */
export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorEntry>> = entries
