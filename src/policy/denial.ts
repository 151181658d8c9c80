/** One reason why something may not be asked of the engine, and the setting that would allow it, where there is one. */
export type Denial = {
  /** The member of the engine's object, nested ones with dots: `Privileged`, `Mounts.BindOptions`. */
  rule: string
  message: string
  setting?: string
}

export function denied (rule: string, message: string, setting?: string): Denial[] {
  return [{ rule, message, ...(setting === undefined ? {} : { setting }) }]
}
