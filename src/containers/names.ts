import { DockApiError, isDockApiError } from '../errors.ts'
import type { Containers } from './containers.ts'

/** Gives or asks for a name. The engine's sentence about a taken one tells whose it is; who is narrowed to some containers is not told. */
export async function withName<T> ({ grant }: Containers, name: string | undefined, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    if (grant.labels === undefined || !isDockApiError(error, 'name_conflict')) throw error
    throw new DockApiError('name_conflict', `The name "${name}" is taken.`)
  }
}
