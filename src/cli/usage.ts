import { parseArgs } from 'node:util'

/** Where a command reads and writes. */
export type Terminal = {
  env: Readonly<Record<string, string | undefined>>
  /** A line for the reader or the next program. */
  print (text: string): void
  /** A line that is no result. */
  complain (text: string): void
}

/** A command that is not written as it should be. */
export class UsageError extends Error {}

/** parseArgs, whose complaints are about the usage. */
export const readArguments: typeof parseArgs = (config) => {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n')[0]!, { cause: error })
  }
}
