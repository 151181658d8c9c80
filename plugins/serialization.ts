import SerializerCompiler from '@fastify/fast-json-stringify-compiler'

type Factory = ReturnType<typeof SerializerCompiler>
type Serializer = ReturnType<ReturnType<Factory>>

/**
 * Writes answers as their schemas say; what no schema names is left out. Equal schemas share a serializer: hundreds of routes and statuses answer
 * with the same few dozens, and each costs milliseconds to make, which was most of the time that a start took.
 */
export function buildSerializer (...given: Parameters<Factory>): ReturnType<Factory> {
  const compile = SerializerCompiler()(...given)
  const made = new Map<string, Serializer>()
  return (route) => {
    const key = JSON.stringify(route.schema)
    const serializer = made.get(key) ?? compile(route)
    made.set(key, serializer)
    return serializer
  }
}
