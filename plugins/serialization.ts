import SerializerCompiler from '@fastify/fast-json-stringify-compiler'

type Factory = ReturnType<typeof SerializerCompiler>
type Serializer = ReturnType<ReturnType<Factory>>

/**
 * Writes answers as their schemas say; what no schema names is left out. Equal schemas share a serializer: hundreds of routes and statuses answer
 * with the same few dozens. Each is made when its first answer is written: it costs milliseconds, and most are never asked for (ADR 5).
 * A test makes them all, so that none fails there.
 */
export function buildSerializer (...given: Parameters<Factory>): ReturnType<Factory> {
  let compile: ReturnType<Factory> | undefined
  const made = new Map<string, Serializer>()

  function make (route: Parameters<ReturnType<Factory>>[0]): Serializer {
    compile ??= SerializerCompiler()(...given)
    const key = JSON.stringify(route.schema)
    const serializer = made.get(key) ?? compile(route)
    made.set(key, serializer)
    return serializer
  }

  return (route) => {
    let serializer: Serializer | undefined
    return (answer) => (serializer ??= make(route))(answer)
  }
}
