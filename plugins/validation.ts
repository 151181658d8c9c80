import AjvCompiler from '@fastify/ajv-compiler'
import type { AnyValidateFunction } from 'ajv/dist/core.js'
import type { RouteDefinition } from '@fastify/ajv-compiler'

/** The schemas are our own, and a test reads them all: they are not checked again at every start. */
const COMMON = { removeAdditional: false, useDefaults: true, allErrors: true, allowUnionTypes: true, verbose: true, validateSchema: false } as const

type Compile = ReturnType<ReturnType<typeof AjvCompiler>>
type Schemas = Parameters<ReturnType<typeof AjvCompiler>>[0]

/**
 * Validates bodies as they are and turns the text of queries, paths and headers into the types that their schemas name:
 * a "5" in JSON is no number, in a query it is (DESIGN section 8). Unknown fields are refused, never dropped. Each validator is made for its first
 * request, as serializers are.
 */
export function buildValidator (externalSchemas: Schemas): Compile {
  const factory = AjvCompiler()
  let strict: Compile | undefined
  let coercing: Compile | undefined

  function make (route: Parameters<Compile>[0]): AnyValidateFunction {
    // Fastify hands over the whole route definition where the compiler's type says schema.
    if (((route as unknown as RouteDefinition).httpPart as string) === 'body') {
      strict ??= factory(externalSchemas, { customOptions: { ...COMMON, coerceTypes: false } })
      return strict(route)
    }
    coercing ??= factory(externalSchemas, { customOptions: { ...COMMON, coerceTypes: 'array' } })
    return coercing(route)
  }

  return (route) => deferred(() => make(route))
}

/** A validator that `make` makes when it is first asked. Fastify reads what is wrong from its `errors`. */
function deferred (make: () => AnyValidateFunction): ReturnType<Compile> {
  let validator: AnyValidateFunction | undefined
  const validate = (input: unknown) => {
    validator ??= make()
    const isValid = validator(input)
    validate.errors = validator.errors
    return isValid
  }
  validate.errors = undefined as AnyValidateFunction['errors']
  return validate as AnyValidateFunction
}
