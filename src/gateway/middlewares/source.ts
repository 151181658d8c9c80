import { networkOf } from '../../auth/network.ts'
import type { Passage } from './passage.ts'

/** How requests are told apart: by a header, by the host that is asked for, else by who asks. */
export type SourceSettings = { source_header?: string, source_host?: boolean }

export function sourceOf ({ request, host, clientAddress }: Passage, { source_header: header, source_host: isByHost }: SourceSettings): string {
  if (header !== undefined) return String(request.headers[header.toLowerCase()] ?? '').slice(0, 256)
  return isByHost === true ? host : networkOf(clientAddress)
}
