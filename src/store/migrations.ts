/**
 * How the tables came to be, in order. Entries are only ever added: each runs once on every store, and `user_version` says how far one is.
 * Times are Unix milliseconds, documents JSON.
 */
export const MIGRATIONS: readonly string[] = []
