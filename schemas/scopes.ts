/**
 * What a token may be good for, by operation. `read` lists and inspects, `logs` reads what containers write, `run` makes, changes and removes
 * containers, `exec` runs commands and moves files in them, `images` pulls, builds and removes images, `routes` changes the gateway,
 * `admin` is everything and the tokens.
 */
export const SCOPES = ['read', 'logs', 'run', 'exec', 'images', 'routes', 'admin'] as const
export type Scope = (typeof SCOPES)[number]
