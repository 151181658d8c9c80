import type { LabelProblem } from './declarations.ts'

/** A container may carry any number of mistakes; nobody reads more. */
const MAX_PROBLEMS = 100
const MAX_QUOTED = 120

export type Problems = {
  add: (label: string, message: string, suggestion?: string) => void
  list: () => LabelProblem[]
}

/** Gathers what was wrong, each once, at most a hundred. */
export function createProblems (): Problems {
  const seen = new Map<string, LabelProblem>()
  let leftOut = 0
  return {
    add (label, message, suggestion) {
      const key = `${label}\n${message}`
      if (seen.has(key)) return
      if (seen.size >= MAX_PROBLEMS) leftOut += 1
      else seen.set(key, { label: shortened(label), message, ...(suggestion === undefined ? {} : { suggestion: shortened(suggestion) }) })
    },
    list () {
      const rest = leftOut === 0 ? [] : [{ label: '*', message: `${leftOut} more problems are not listed.` }]
      return [...seen.values(), ...rest]
    }
  }
}

/** A value in quotes, short, without what could break a terminal or a log line and without the password of a URL. */
export function quoted (text: string): string {
  return `"${shortened(text)}"`
}

function shortened (text: string): string {
  const masked = text.slice(0, MAX_QUOTED).replaceAll(/:\/\/[^/@]*(@|$)/g, '://***$1')
  const start = (text.includes('@') ? masked : text.slice(0, MAX_QUOTED)).replaceAll(/[\p{Cc}\p{Cf}]/gu, '?')
  return text.length > MAX_QUOTED ? `${start}…` : start
}
