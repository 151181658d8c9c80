import type { Ticket } from '../../schemas/tokens.ts'
import type { Principal } from './principal.ts'
import { createTicket, digest, isTicketShaped } from './secret.ts'

/** What a browser sends in place of a token where it cannot set a header: in a URL, which may be logged, so it is worth nothing afterwards. */
export type Tickets = {
  issue (principal: Principal): Ticket
  /** Uses a ticket up. Undefined for one that is unknown, used, too old, or whose token is valid no more. */
  redeem (ticket: string): Principal | undefined
}

/** From the request for it until it is used, in milliseconds. */
const LIFETIME_MS = 30_000
/** How many may wait to be used; then the oldest gives way. */
const MAX_TICKETS = 10_000

/** @param now Unix milliseconds. */
export function createTickets (now: () => number = Date.now): Tickets {
  /** By digest, oldest first: looking up a digest tells nothing of the ticket in its time. */
  const issued = new Map<string, { principal: Principal, expiresAt: number, forget (): void }>()

  function take (key: string) {
    const entry = issued.get(key)
    issued.delete(key)
    entry?.forget()
    return entry
  }

  function makeRoom () {
    for (const [key, { expiresAt }] of issued) {
      if (expiresAt > now() && issued.size < MAX_TICKETS) break
      take(key)
    }
  }

  return {
    issue (principal) {
      makeRoom()
      const ticket = createTicket()
      const key = keyOf(ticket)
      const expiresAt = now() + LIFETIME_MS
      issued.set(key, { principal, expiresAt, forget: principal.onRevoked(() => { issued.delete(key) }) })
      return { ticket, expires_at: new Date(expiresAt).toISOString() }
    },
    redeem (ticket) {
      const entry = isTicketShaped(ticket) ? take(keyOf(ticket)) : undefined
      return entry !== undefined && entry.expiresAt > now() ? entry.principal : undefined
    }
  }
}

function keyOf (ticket: string): string {
  return digest(ticket).toString('base64')
}
