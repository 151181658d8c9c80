/** Takes a message of so many bytes from what is left; false when nothing is. */
export type Budget = (bytes: number) => boolean

export type BudgetLimits = {
  /** Messages in a second, on the long run. */
  perSecond: number
  /** Messages at once. */
  burst: number
  /** Payload that pays for one message: with it, bulk data in large messages is never too much. */
  bytesPerMessage: number
}

/** A token bucket that fills with time, and with the bytes that the messages themselves carry. @param now Milliseconds. */
export function createBudget ({ perSecond, burst, bytesPerMessage }: BudgetLimits, now: () => number = () => performance.now()): Budget {
  let left = burst
  let filledAt = now()
  return (bytes) => {
    const at = now()
    left = Math.min(burst, left + (at - filledAt) / 1000 * perSecond) - 1 + Math.min(1, bytes / bytesPerMessage)
    filledAt = at
    return left >= 0
  }
}
