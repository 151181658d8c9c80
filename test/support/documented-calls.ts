import type { RouteOptions } from 'fastify'
import { methodsOf, openapiPath } from './routes.ts'

type Media = { example?: unknown }
type Operation = { parameters?: Array<{ in: string, name: string, required?: boolean, example?: unknown, schema: { default?: unknown, examples?: unknown[] } }>, requestBody?: { content: Record<string, Media> } }

/** A request as the documentation shows it; `:id` stands for the container. */
export type Call = { name: string, route: RouteOptions, method: 'GET', path: string, query: string, payload?: object, scope: string | undefined }

/** Every method of every route that needs a token, with the bodies and parameters that its documentation shows. */
export function documentedCalls (document: unknown, routes: readonly RouteOptions[]): Call[] {
  const { paths } = document as { paths: Record<string, Record<string, Operation>> }
  return routes.filter(({ config, url }) => config?.public !== true && url !== '*').flatMap((route) => methodsOf(route).map((method): Call => {
    const operation = paths[openapiPath(route.url)]?.[method === 'HEAD' ? 'get' : method.toLowerCase()]
    const required = operation?.parameters?.filter((parameter) => parameter.in === 'query' && parameter.required === true) ?? []
    const payload = operation?.requestBody?.content['application/json']?.example as object | undefined
    return {
      name: `${method} ${route.url}`,
      route,
      method: method as 'GET',
      path: pathOf(route.url, operation),
      query: new URLSearchParams(required.map(({ name, example, schema }) => [name, String(example ?? schema.examples?.[0] ?? 'x')] as [string, string])).toString(),
      ...(payload === undefined ? {} : { payload }),
      scope: route.config?.scope
    }
  }))
}

/** Every parameter but the container as the documentation shows it. */
function pathOf (url: string, operation: Operation | undefined): string {
  const examples = new Map(operation?.parameters?.filter((parameter) => parameter.in === 'path').map(({ name, example, schema }) => [name, String(example ?? schema.examples?.[0] ?? 'unknown')]))
  return url.replace('*', 'some/path').replaceAll(/:(?!id\b)(\w+)/g, (_, name: string) => examples.get(name) ?? 'unknown')
}
