/** Is told what passes between dockAPI and the engine. Never throws. */
export type EngineObserver = {
  /** A call is over, or a stream is open. @param result `ok`, or the code of the error. */
  call (operation: string, result: string, seconds: number): void
  /** An event arrived, so long after the engine's clock says that it happened. */
  event (lagSeconds: number): void
  /** A stream of events is open, the first time or again: what happened before may have been missed. */
  opened (): void
  /** A stream of events was lost, or could not be opened. */
  lost (): void
}
