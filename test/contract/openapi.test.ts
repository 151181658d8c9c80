import { readFile } from 'node:fs/promises'
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { collectRoutes, methodsOf, openapiPath } from '../support/routes.ts'
import { createTestApp } from '../support/app.ts'

type Media = { schema?: unknown, example?: unknown, examples?: unknown }
type Response = { $ref?: string, description?: string, content?: Record<string, Media> }
type Operation = {
  operationId?: string
  summary?: string
  tags?: string[]
  security?: unknown[]
  parameters?: Array<{ name: string, description?: string, required?: boolean, schema: { default?: unknown } }>
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, Response>
}
type Document = {
  openapi: string
  info: { version: string }
  servers: Array<{ url: string }>
  tags: Array<{ name: string }>
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { description?: string, required?: string[], properties?: Record<string, { default?: unknown }> }>, responses: Record<string, Response> }
}

/** The failures that a request to any route may meet. */
const ALWAYS = ['400', '401', '403', '500', '503', '504']
const committed = await readFile(new URL('../../openapi/openapi.json', import.meta.url), 'utf8')
const { app, routes } = await collectRoutes(() => createTestApp(t))
await app.ready()
const document = app.swagger() as unknown as Document
const operations = Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, path, method, operation })))

await t.test('the committed document is the one that the routes make; if not, run npm run openapi', async (t) => {
  t.equal(committed, `${JSON.stringify(document, null, 2)}\n`)
})

await t.test('it is valid OpenAPI 3.1, and so is the served one', async (t) => {
  const served = await app.inject('/openapi.json')
  for (const text of [committed, served.body]) {
    const { valid, errors } = await new Validator().validate(JSON.parse(text) as Record<string, unknown>)
    t.ok(valid, JSON.stringify(errors)?.slice(0, 1000))
  }
  t.match(document.openapi, /^3\.1\./)
  t.same(JSON.parse(served.body), JSON.parse(committed))
})

await t.test('it does not depend on the machine: relative servers, the version of the package', async (t) => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  t.equal(document.info.version, version)
  t.same(document.servers, [{ url: '/' }])
})

await t.test('every route is documented; only the pages of the documentation and preflights are hidden', async (t) => {
  const documented = new Set(operations.map(({ name }) => name))
  for (const route of routes) {
    for (const method of methodsOf(route)) {
      if (method === 'HEAD' || method === 'TRACE') continue
      if (/^\/(docs|redoc)(\/|$)/.test(route.url) || route.url === '/openapi.json' || (route.url === '*' && method === 'OPTIONS')) continue
      const path = route.config?.proxied === true ? '/proxy/{id}/{path}' : openapiPath(route.url)
      if (route.config?.proxied === true && !['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].includes(method)) continue
      t.ok(documented.has(`${method.toLowerCase()} ${path}`), `${method} ${route.url}`)
    }
  }
})

await t.test('every operation has an id, a known tag, a summary, and says what its parameters are', async (t) => {
  const ids = operations.map(({ operation }) => operation.operationId)
  t.equal(new Set(ids).size, ids.length, 'ids are unique')
  const tags = document.tags.map(({ name }) => name)
  for (const { name, operation } of operations) {
    t.match(operation.operationId, /^[a-z][A-Za-z]+$/, name)
    t.equal(operation.tags?.length, 1, name)
    t.ok(tags.includes(operation.tags![0]!), name)
    t.match(operation.summary, /^[A-Z]/, name)
    for (const parameter of operation.parameters ?? []) t.ok(parameter.description, `${name}: ${parameter.name}`)
  }
})

await t.test('every operation names each status that it can answer', async (t) => {
  for (const { name, path, operation } of operations) {
    const statuses = Object.keys(operation.responses)
    t.ok(statuses.some((status) => status.startsWith('2') || status === 'default' || status === '101'), name)
    if (operation.security?.length === 0) continue
    const expected = [...ALWAYS, ...(path.includes('{id}') ? ['404', '409'] : []), ...(operation.requestBody !== undefined && !path.startsWith('/proxy/') ? ['413', '415'] : [])]
    for (const status of expected) t.ok(statuses.includes(status), `${name}: ${status}`)
  }
})

await t.test('every answer has a description; every failure is a problem document', async (t) => {
  for (const { name, path, operation } of operations) {
    for (const [status, response] of Object.entries(operation.responses)) {
      const { description, content } = resolve(response)
      t.ok(description, `${name}: ${status}`)
      t.not(description, 'Default Response', `${name}: ${status}`)
      // Health answers say which part is ill, with the status that probes look at.
      if (/^[45]/.test(status) && !(status === '503' && /^\/(healthz|readyz)$/.test(path))) t.same(Object.keys(content ?? {}), ['application/problem+json'], `${name}: ${status}`)
    }
  }
})

await t.test('every body and every answer in JSON shows an example', async (t) => {
  for (const { name, operation } of operations) {
    const contents = [operation.requestBody?.content, ...Object.values(operation.responses).map((response) => resolve(response).content)]
    for (const content of contents) {
      for (const [type, media] of Object.entries(content ?? {})) {
        if (type.includes('json')) t.ok(media.example ?? media.examples, `${name}: ${type}`)
      }
    }
  }
})

await t.test('what has a default need not be sent', async (t) => {
  for (const { name, operation } of operations) {
    for (const { name: parameter, required, schema } of operation.parameters ?? []) t.notOk(required === true && schema.default !== undefined, `${name}: ${parameter}`)
  }
  for (const [name, { required = [], properties = {} }] of Object.entries(document.components.schemas)) {
    t.same(required.filter((field) => properties[field]?.default !== undefined), [], name)
  }
})

await t.test('models have names and descriptions, and none is left over', async (t) => {
  for (const [name, { description }] of Object.entries(document.components.schemas)) {
    t.match(name, /^[A-Z][A-Za-z]+$/)
    t.ok(description, name)
    t.ok(committed.includes(`"$ref": "#/components/schemas/${name}"`), `${name} is used`)
  }
  t.notMatch(committed, /"nullable"/)
  t.notMatch(committed, /"\$id"/)
})

function resolve (response: Response): Response {
  return response.$ref === undefined ? response : document.components.responses[response.$ref.split('/').at(-1)!]!
}
