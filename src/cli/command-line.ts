import { ConfigError } from '../config/load.ts'
import { DockApiError } from '../errors.ts'
import { StoreError } from '../store/store.ts'
import { HELP } from './help.ts'
import { TOKEN_HELP, runTokenCommand } from './token.ts'
import { UsageError } from './usage.ts'
import type { Terminal } from './usage.ts'

/**
 * Does what the words of the command line ask for, other than to serve.
 * @returns The exit code; undefined when they ask to serve.
 */
export function runCommandLine (argv: readonly string[], terminal: Terminal): number | undefined {
  const [word, ...rest] = argv
  const asksForHelp = argv.some((text) => text === '--help' || text === '-h') || word === 'help'
  if (word === 'token') return asksForHelp ? say(TOKEN_HELP, terminal) : attempt(() => runTokenCommand(rest, terminal), TOKEN_HELP, terminal)
  return asksForHelp ? say(HELP, terminal) : undefined
}

function say (text: string, { print }: Terminal): number {
  print(text)
  return 0
}

function attempt (command: () => void, help: string, { complain }: Terminal): number {
  try {
    command()
    return 0
  } catch (error) {
    if (error instanceof UsageError) complain(`${error.message}\n\n${help}`)
    else if (error instanceof DockApiError) complain([error.message, error.hint].filter((line) => line !== undefined).join('\n'))
    else if (error instanceof ConfigError || error instanceof StoreError) complain(error.message)
    else throw error
    return 1
  }
}
