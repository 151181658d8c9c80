import { split } from 'shlex'
import { invalidField } from '../errors.ts'

/**
 * The words of a command: an array as it is, a string split as a POSIX shell splits words. No shell runs.
 * @throws DockApiError `invalid_request` for open quotes and for a string without words.
 */
export function commandWords (command: string | string[], pointer: string, where: 'body' | 'query' = 'body'): string[] {
  if (Array.isArray(command)) return command
  const words = splitWords(command, pointer, where)
  if (words.length === 0) throw invalidField(where, pointer, 'has no words')
  return words
}

function splitWords (command: string, pointer: string, where: 'body' | 'query'): string[] {
  try {
    return split(command)
  } catch {
    throw invalidField(where, pointer, 'has an open quote or ends in a backslash', 'Close the quote, or send the words as an array.')
  }
}
