/** Why a command of the project cannot go on: one sentence, and what the user can do about it. */
export class Failure extends Error {
  readonly advice: string

  constructor (sentence: string, advice = '', cause?: unknown) {
    super(sentence, { cause })
    this.name = 'Failure'
    this.advice = advice
  }
}

/** What to print for an error: a `Failure` speaks for itself, anything else is shown with its stack. */
export function describeFailure (error: unknown): string {
  if (!(error instanceof Failure)) return error instanceof Error ? `${error.stack ?? error.message}` : String(error)
  return error.advice === '' ? error.message : `${error.message}\n\n${indent(error.advice)}`
}

/** The last lines of a log, for a message. */
export function lastLines (text: string, count = 12): string {
  return text.trimEnd().split('\n').slice(-count).join('\n')
}

export function indent (text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ')
}
