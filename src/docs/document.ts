import { STATUS_CODES } from 'node:http'

type Json = Record<string, unknown>
type Media = { schema?: Json, example?: unknown, examples?: unknown }
type Response = { description?: string, content?: Record<string, Media>, $ref?: string }
type Parameter = { required?: boolean, schema?: Json }
type Operation = { parameters?: Parameter[], requestBody?: { content?: Record<string, Media> }, responses: Record<string, Response> }
type PathItem = Record<string, Operation>

/** The part of an OpenAPI 3.1 document that is completed here. */
export type Document = { paths?: Record<string, PathItem>, components?: { schemas?: Record<string, Json>, responses?: Record<string, Response> } }

const PROBLEM = 'application/problem+json'
/** What the generator writes for an answer that has no description of its own. */
const NO_DESCRIPTION = 'Default Response'

/**
 * Completes what the generator leaves open: examples and descriptions of the named models where they are used, failure answers
 * as shared components, each with an example of its own status, parameters with a default as optional ones, and an order that
 * depends on names only.
 * @param problems An example of a problem document for each status.
 */
export function completeDocument (document: Document, problems: Readonly<Record<string, object>>): Document {
  const { components = {}, paths = {}, ...head } = document
  const schemas = sortByName(components.schemas ?? {})
  const responses: Record<string, Response> = {}
  for (const operation of Object.values(paths).flatMap((item) => Object.values(item))) {
    // For the validator a default makes a parameter always there; for callers it makes it optional.
    for (const parameter of operation.parameters ?? []) if (parameter.schema?.default !== undefined) parameter.required = false
    showExamples(operation.requestBody?.content, schemas)
    for (const [status, response] of Object.entries(operation.responses)) {
      if (response.content?.[PROBLEM] !== undefined) operation.responses[status] = shareProblem(status, response, problems, responses)
      else describeResponse(response, schemas)
    }
  }
  return { ...head, paths, components: { ...components, schemas, responses: sortByName(responses) } }
}

/** `BadRequest`, `NotFound`: the same failure is answered in the same way by every operation. */
function shareProblem (status: string, response: Response, problems: Readonly<Record<string, object>>, shared: Record<string, Response>): Response {
  const name = STATUS_CODES[status]!.replaceAll(/[^A-Za-z]/g, '')
  const media = response.content![PROBLEM]!
  shared[name] ??= { ...response, content: { [PROBLEM]: { ...media, example: problems[status] } } }
  if (shared[name].description !== response.description) throw new Error(`Two operations describe ${status} differently.`)
  return { $ref: `#/components/responses/${name}` }
}

function describeResponse (response: Response, schemas: Record<string, Json>): void {
  showExamples(response.content, schemas)
  if (response.description !== NO_DESCRIPTION) return
  const [media] = Object.values(response.content ?? {})
  const description = resolve(media?.schema ?? {}, schemas).description
  if (typeof description === 'string') response.description = description
}

function showExamples (content: Record<string, Media> = {}, schemas: Record<string, Json>): void {
  for (const media of Object.values(content)) {
    if (media.example !== undefined || media.examples !== undefined) continue
    const example = exampleOf(media.schema ?? {}, schemas)
    if (example !== undefined) media.example = example
  }
}

function exampleOf (schema: Json, schemas: Record<string, Json>): unknown {
  const { examples, type, items } = resolve(schema, schemas)
  if (Array.isArray(examples)) return examples[0]
  if (type !== 'array') return undefined
  const item = exampleOf(items as Json, schemas)
  return item === undefined ? undefined : [item]
}

function resolve (schema: Json, schemas: Record<string, Json>): Json {
  return typeof schema.$ref === 'string' ? schemas[schema.$ref.split('/').at(-1)!] ?? {} : schema
}

function sortByName<T> (named: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(named).sort(([a], [b]) => a < b ? -1 : 1))
}
