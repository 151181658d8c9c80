/**
 * To what a token is narrowed. What is left out is not narrowed. Everything that asks about containers, images or commands gets it along
 * with them (`Containers.grant`), so that no door has rules of its own.
 */
export type Grant = {
  /** Labels that a container must carry to exist for the token; what it runs gets them. */
  readonly labels?: Readonly<Record<string, string>>
  /** Patterns of the images that it may pull, run and see (`createImageRule`). */
  readonly images?: readonly string[]
  readonly limits?: Limits
  /** The words with which a command may begin. */
  readonly commands?: ReadonlyArray<readonly string[]>
  /** The token's name, noted on what it runs. */
  readonly owner?: string
}

export type Limits = {
  /** How many containers that it made may be there at once. */
  readonly containers?: number
  /** The most memory of each, in bytes. */
  readonly memory?: number
  /** The most CPU of each. */
  readonly cpus?: number
  /** After how many seconds each is removed. */
  readonly lifetimeSeconds?: number
}

export const UNRESTRICTED: Grant = Object.freeze({})

/** Whether these labels carry everything that the grant wants. */
export function fitsLabels ({ labels: wanted }: Grant, labels: Readonly<Record<string, string>> | null | undefined): boolean {
  return wanted === undefined || Object.entries(wanted).every(([name, value]) => labels?.[name] === value)
}
