import { DockApiError } from '../errors.ts'
import type { ExecOrder } from './order.ts'

/** What is known of a command that was run in a container. */
export type ExecRecord = {
  readonly id: string
  readonly containerId: string
  readonly order: ExecOrder
  /** In the environment of the command, so that its processes can be told from all others. */
  readonly mark: string
  readonly startedAt: Date
  endedAt: Date | undefined
  /** Null while it runs, and when nobody knows: the engine or the container went away. */
  exitCode: number | null
  readonly bytes: { stdin: number, stdout: number, stderr: number }
}

/** The commands that this server started, newest last. They are forgotten when it ends. */
export type ExecRecords = {
  add (record: ExecRecord): void
  of (containerId: string): ExecRecord[]
  /** @throws DockApiError `exec_not_found`. */
  find (containerId: string, id: string): ExecRecord
}

/** How many are kept; the oldest are forgotten first, those that have ended before those that run. */
const LIMIT = 1000

export function createExecRecords (limit = LIMIT): ExecRecords {
  const records = new Map<string, ExecRecord>()

  function add (record: ExecRecord) {
    records.set(record.id, record)
    if (records.size <= limit) return
    const all = [...records.values()]
    const oldest = all.find(({ endedAt }) => endedAt !== undefined) ?? all[0]!
    records.delete(oldest.id)
  }

  function find (containerId: string, id: string): ExecRecord {
    const record = records.get(id)
    if (record?.containerId === containerId) return record
    throw new DockApiError('exec_not_found', `No command with the id "${id}" was run in this container through this server.`)
  }

  return { add, of: (containerId) => [...records.values()].filter((record) => record.containerId === containerId), find }
}
