import SerializerCompiler from '@fastify/fast-json-stringify-compiler'
import t from 'tap'
import { buildValidator } from '../../plugins/validation.ts'
import { createTestApp } from '../support/app.ts'
import { collectRoutes, methodsOf } from '../support/routes.ts'

type Described = { content?: Record<string, { schema?: unknown }> }

const { app, routes } = await collectRoutes(() => createTestApp(t))
await app.ready()
const schemas = app.getSchemas() as Parameters<typeof buildValidator>[0]
const described = routes.flatMap(({ method, url, schema = {} }) => methodsOf({ method, url } as typeof routes[0]).map((method) => ({ method, url, schema })))

t.test('every schema of a request makes a validator, though none is made before its first request', async (t) => {
  const validatorOf = buildValidator(schemas)
  const parts = described.flatMap(({ method, url, schema }) => (['body', 'querystring', 'params', 'headers'] as const)
    .filter((httpPart) => schema[httpPart] !== undefined)
    .flatMap((httpPart) => schemasOf(schema[httpPart] as Described).map((schema) => ({ method, url, httpPart, schema }))))
  t.ok(parts.length > 100, `${parts.length} of them`)
  for (const part of parts) t.doesNotThrow(() => validatorOf(part)({}), `${part.method} ${part.url} ${part.httpPart}`)
})

t.test('every schema of an answer makes a serializer, though none is made before its first answer', async (t) => {
  const serializerOf = SerializerCompiler()(schemas)
  const answers = described.flatMap(({ method, url, schema }) => Object.entries(schema.response ?? {}).flatMap(([httpStatus, answer]) =>
    schemasOf(answer as Described).map((schema) => ({ method, url, httpStatus, schema }))))
  const distinct = [...new Map(answers.map((answer) => [JSON.stringify(answer.schema), answer])).values()]
  t.ok(distinct.length > 20, `${distinct.length} of them`)
  for (const answer of distinct) t.doesNotThrow(() => serializerOf(answer), `${answer.method} ${answer.url} ${answer.httpStatus}`)
})

function schemasOf ({ content, ...schema }: Described): unknown[] {
  return content === undefined ? [schema] : Object.values(content).map(({ schema }) => schema).filter((schema) => schema !== undefined)
}
