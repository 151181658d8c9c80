import { DockApiError } from '../errors.ts'
import type { TokenRow, TokenRows } from '../store/tokens.ts'
import type { TokenCreated, TokenInfo, TokenRequest } from '../../schemas/tokens.ts'
import type { Principal } from './principal.ts'
import { readRights, rightsOf } from './rights.ts'
import { createToken, digest, idOfToken, isSameDigest, isTokenShaped } from './secret.ts'

/** The tokens of the store, and what runs in their name. */
export type Tokens = {
  /** Whether one was ever made: from then on a token is needed (`DOCKAPI_AUTH=auto`). */
  readonly exist: boolean
  /**
   * Makes a token. The name of one that has expired is free again.
   * @throws DockApiError `token_exists`, `invalid_request`.
   */
  create (request: TokenRequest): TokenCreated
  list (): TokenInfo[]
  /** @throws DockApiError `token_not_found`. */
  get (name: string): TokenInfo
  /**
   * Ends a token: the next request with it is refused, and what runs in its name is ended. That holds also when the store cannot write it down and
   * throws; then it is written as soon as it can be, once the tokens are followed (`start`).
   * @throws DockApiError `token_not_found`.
   */
  revoke (name: string): void
  /** Whose token this is; undefined when it is unknown, wrong, expired or revoked, all in the same time. */
  verify (token: string): Principal | undefined
  /** Begins to follow what other processes change (`dockapi token revoke`). */
  start (): void
  /** Ends what `start` began. Idempotent. */
  close (): void
}

type Session = { row: TokenRow, principal: Principal, running: Set<() => void>, usedAt: number }

/** How soon a change by another process, or an expiry, ends what runs, in milliseconds. */
const WATCH_MS = 200
/** How exactly the last use is kept, in milliseconds: a busy token must not write to disk on each request. */
const USE_MS = 60_000
/** Compared with when there is no such token. */
const NO_DIGEST = new Uint8Array(32)

/** @param now Unix milliseconds. */
export function createTokens (rows: TokenRows, now: () => number = Date.now): Tokens {
  /** By id, of tokens that were verified: as many as there are tokens at most. */
  const sessions = new Map<string, Session>()
  /** Name by id, of those that are revoked while the store has not been able to keep it. */
  const unkept = new Map<string, string>()
  let exist = rows.exist()
  let version = rows.version()
  let timer: NodeJS.Timeout | undefined

  function verify (token: string) {
    if (!isTokenShaped(token)) return undefined
    const id = idOfToken(token)
    const session = sessions.get(id) ?? open(id)
    const isRight = isSameDigest(digest(token), session?.row.digest ?? NO_DIGEST)
    if (session === undefined || !isRight) return undefined
    if (isExpired(session.row)) {
      end(session)
      return undefined
    }
    session.usedAt = now()
    sessions.set(id, session)
    return session.principal
  }

  /** Kept only once the whole token has proved right. */
  function open (id: string): Session | undefined {
    const row = unkept.has(id) ? undefined : rows.byId(id)
    if (row === undefined) return undefined
    const running = new Set<() => void>()
    const { scopes, grant } = readRights(row)
    const principal: Principal = {
      name: row.name,
      tokenId: id,
      scopes,
      grant,
      onRevoked (end) {
        running.add(end)
        return () => running.delete(end)
      }
    }
    return { row, principal, running, usedAt: 0 }
  }

  function end ({ row, running }: Session) {
    sessions.delete(row.id)
    for (const stop of running) stop()
    running.clear()
  }

  function isExpired ({ expires_at: expiresAt }: TokenRow): boolean {
    return expiresAt !== null && expiresAt <= now()
  }

  function watch () {
    for (const [id, name] of unkept) keepRevoked(id, name)
    const changed = rows.version()
    const isChanged = changed !== version
    version = changed
    if (isChanged) exist = rows.exist()
    for (const session of sessions.values()) {
      const { row, usedAt } = session
      if (isExpired(row) || (isChanged && rows.byId(row.id) === undefined)) end(session)
      else if (usedAt - (row.last_used_at ?? 0) >= USE_MS) noteUse(session)
    }
  }

  /** A disk that is full ends nothing: this is only told to people. */
  function noteUse ({ row, usedAt }: Session) {
    row.last_used_at = usedAt
    try {
      rows.noteUse(row.id, usedAt)
    } catch {}
  }

  function create (request: TokenRequest) {
    const { rights, expiresAt } = rightsOf(request, now())
    const taken = rows.byName(request.name)
    if (taken !== undefined && !isExpired(taken)) throw new DockApiError('token_exists', `There is a token "${request.name}" already.`)
    if (taken !== undefined) rows.revoke(request.name, now())
    const token = createToken()
    const row: TokenRow = { id: idOfToken(token), name: request.name, digest: digest(token), rights: JSON.stringify(rights), created_at: now(), expires_at: expiresAt, last_used_at: null }
    rows.insert(row)
    exist = true
    return { ...describe(row), token }
  }

  function describe (row: TokenRow): TokenInfo {
    const { id, name, created_at: createdAt, expires_at: expiresAt, last_used_at: lastUsedAt } = row
    const { scopes, labels = null, images = null, limits = null, commands = null } = JSON.parse(row.rights) as Omit<TokenRequest, 'name'>
    return { id, name, scopes, labels, images, limits, commands, created_at: timeOf(createdAt), expires_at: timeOrNull(expiresAt), last_used_at: timeOrNull(lastUsedAt), expired: isExpired(row) }
  }

  function get (name: string) {
    const row = rows.byName(name)
    if (row === undefined) throw new DockApiError('token_not_found', `There is no token "${name}".`)
    return describe(row)
  }

  function revoke (name: string) {
    const { id } = get(name)
    const session = sessions.get(id)
    if (session !== undefined) end(session)
    unkept.set(id, name)
    rows.revoke(name, now())
    unkept.delete(id)
  }

  function keepRevoked (id: string, name: string) {
    try {
      rows.revoke(name, now())
      unkept.delete(id)
    } catch {}
  }

  return {
    get exist () { return exist },
    create,
    list: () => rows.list().map(describe),
    get,
    revoke,
    verify,
    start () { timer ??= setInterval(watch, WATCH_MS).unref() },
    close () { clearInterval(timer) }
  }
}

function timeOrNull (milliseconds: number | null): string | null {
  return milliseconds === null ? null : timeOf(milliseconds)
}

function timeOf (milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
