import { Type } from '@sinclair/typebox'

/** A body that is passed on as it is. */
export function Bytes (description: string) {
  return Type.Unsafe<unknown>({ description })
}
