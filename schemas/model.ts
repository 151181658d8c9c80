import { Type } from '@sinclair/typebox'
import type { SchemaOptions, Static, TProperties, TSchema, TUnsafe } from '@sinclair/typebox'

/** A named component of the OpenAPI document. It is registered once (`MODELS` in `schemas/index.ts`) and referred to by `ref`. */
export function model<T extends TProperties> (name: string, properties: T, options: SchemaOptions = {}) {
  return Type.Object(properties, { additionalProperties: false, ...options, $id: name })
}

/** A typed `$ref` to a model. */
export function ref<T extends TSchema> (schema: T): TUnsafe<Static<T>> {
  return Type.Unsafe<Static<T>>({ $ref: `${schema.$id}#` })
}

/** The schema or null, written as a type array (OpenAPI 3.1), not as `nullable`. */
export function nullable<T extends TSchema> (schema: T): TUnsafe<Static<T> | null> {
  const { type, ...rest }: TSchema = schema
  return Type.Unsafe<Static<T> | null>({ ...rest, type: [type, 'null'], ...(rest.enum === undefined ? {} : { enum: [...rest.enum, null] }) })
}

/** One of a few words, as `enum`. */
export function oneOf<const T extends readonly string[]> (values: T, options: SchemaOptions = {}): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options })
}
