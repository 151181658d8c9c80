import type { Test } from 'tap'
import { openStream } from './stream-client.ts'
import type { StreamOptions, StreamReader } from './stream-client.ts'

/** Runs a command in a container and reads what it does as events. */
export async function openExecStream (t: Test, url: string, id: string, body: Record<string, unknown>, options: StreamOptions = {}): Promise<StreamReader> {
  return await openStream(t, `${url}/containers/${id}/exec`, { ...options, body })
}
