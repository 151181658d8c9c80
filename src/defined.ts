type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The members that have a value: an optional member of the engine's API is left out, never sent as `undefined`. */
export function definedOf<T extends Record<string, unknown>> (values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>
}
