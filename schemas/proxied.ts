import { ContainerParamsSchema } from './common.ts'
import { DESCRIPTIONS } from './problem.ts'
import type { ProblemStatus } from './problem.ts'

/**
 * The documented form of `/proxy/:id/*`. That route belongs to the proxy, answers every method and has no schema of its own;
 * OpenAPI can name these methods of it.
 */
export const PROXIED_PATH = '/proxy/{id}/{path}'

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'] as const
const WITH_BODY = new Set<string>(['post', 'put', 'patch', 'delete'])
const STATUSES: readonly ProblemStatus[] = [400, 401, 403, 404, 409, 429, 500, 502, 503, 504]

const ANYTHING = { '*/*': { schema: {} } }

const DESCRIPTION = 'Forwards the request to the application inside the container and its answer back: status, headers and body are the ' +
  'application\'s own, streamed both ways. Path and query arrive as they were sent. Every other method and WebSocket upgrades are forwarded too. ' +
  'Answers of type `application/problem+json` with a `code` come from dockAPI itself.'

/** The path item, with an operation for each method: `proxyGet`, `proxyPost` and so on. */
export function proxiedPathItem () {
  return Object.fromEntries(METHODS.map((method) => [method, {
    operationId: `proxy${method[0]!.toUpperCase()}${method.slice(1)}`,
    summary: `Send ${method.toUpperCase()} to a container`,
    tags: ['Proxy'],
    description: DESCRIPTION,
    parameters: [
      { in: 'path', name: 'id', required: true, description: ContainerParamsSchema.properties.id.description, schema: { type: 'string' }, example: 'my-nginx' },
      { in: 'path', name: 'path', required: true, description: 'The path inside the application; may be empty and may contain slashes.', schema: { type: 'string' }, example: 'index.html' }
    ],
    ...(WITH_BODY.has(method) ? { requestBody: { description: 'Whatever the application takes.', content: ANYTHING } } : {}),
    responses: {
      default: { description: 'The application\'s own answer, whatever its status.', ...(method === 'head' ? {} : { content: ANYTHING }) },
      ...Object.fromEntries(STATUSES.map((status) => [status, {
        description: DESCRIPTIONS[status],
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
      }]))
    }
  }]))
}
