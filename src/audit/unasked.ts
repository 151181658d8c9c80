import type { AuditRecord } from './trail.ts'

type Told = Pick<AuditRecord, 'principal' | 'operation'> & Partial<AuditRecord>

/** The entry of a change that came by no request. */
export function unasked (told: Told): AuditRecord {
  return {
    time: new Date().toISOString(),
    token_id: null,
    container_id: null,
    container: null,
    image: null,
    subject: null,
    result: 'ok',
    status: null,
    duration_ms: 0,
    request_id: null,
    peer: null,
    ...told
  }
}
