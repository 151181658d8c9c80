import type { ContainerDocument } from '../engine/containers.ts'
import { invalidField } from '../errors.ts'
import type { Launch } from '../containers/launches.ts'
import type { LogsQuery } from '../../schemas/logs.ts'
import type { StreamSource } from './delivery.ts'
import type { StreamEvent } from './encoder.ts'
import { openLogEvents } from './log-events.ts'
import type { LogSources } from './log-events.ts'

/** Whose log it is: a container, how it was made, or both. One of them is there. */
export type LogSubject = { launch?: Launch | undefined, document?: ContainerDocument | undefined }

/** Ids of the lines that tell how a container was made. */
const INIT_ID = /^init~(\d{1,4})$/

/**
 * The log of a container from its first moment: the lines of its launch as they come, then what it writes, line by line as events `log`.
 * @param lastId Id of the last line that the client has.
 * @throws DockApiError `invalid_request`, `logs_unavailable`, `container_not_found`.
 */
export async function openLaunchLog (sources: LogSources, { launch, document }: LogSubject, query: Pick<LogsQuery, 'tail' | 'follow'>, lastId: string | undefined, signal: AbortSignal): Promise<StreamSource> {
  const init = lastId === undefined ? '0' : INIT_ID.exec(lastId)?.[1]
  const openLog = (of: ContainerDocument) => openLogEvents(sources, of, { timestamps: false, stdout: true, stderr: true, download: false, ...query }, init === undefined ? lastId : undefined, signal)
  if (document === undefined && init === undefined) throw invalidField('header', '/last-event-id', 'is no id of this stream')
  // Opened before anything is sent, so that what is wrong is an answer of its own.
  const log = document === undefined || launch?.state === 'initializing' ? undefined : await openLog(document)

  return (async function * (): StreamSource {
    if (launch !== undefined && init !== undefined) yield * linesOf(launch, Number(init), query.follow !== 'false', signal)
    if (log !== undefined) return yield * log
    if (launch?.state === 'failed') return 'failed'
    if (launch?.containerId === undefined || query.follow === 'false') return 'complete'
    return yield * await openLog(await sources.containers.find(launch.containerId, signal))
  })()
}

/** From the line of that number on, until the launch has ended. */
async function * linesOf (launch: Launch, from: number, isFollowing: boolean, signal: AbortSignal): AsyncGenerator<StreamEvent[]> {
  let next = from
  for (;;) {
    const news = launch.lines.slice(next).map((line, index) => ({ event: 'log', id: `init~${next + index + 1}`, data: { line } }))
    next += news.length
    if (news.length > 0) yield news
    else if (launch.state !== 'initializing' || !isFollowing) return
    else await launch.changed(signal)
  }
}
