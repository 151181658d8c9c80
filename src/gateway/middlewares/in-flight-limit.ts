import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import { DockApiError } from '../../errors.ts'
import { heldUpgrade } from '../../forward/held-upgrade.ts'
import type { Pass } from './passage.ts'
import { sourceOf } from './source.ts'

export function createInFlightLimit (settings: NonNullable<Definition['in_flight_req']>): Pass {
  const counts = new Map<string, number>()

  function leave (source: string) {
    const count = counts.get(source)! - 1
    if (count === 0) counts.delete(source)
    else counts.set(source, count)
  }

  return (passage) => {
    const source = sourceOf(passage, settings)
    const count = counts.get(source) ?? 0
    if (count >= settings.amount) throw new DockApiError('too_many_requests', 'More requests run at once than this route allows.', { retryAfterSeconds: 1 })
    counts.set(source, count + 1)
    // An exchange ends with its answer, an upgraded connection with its socket.
    const carrier = heldUpgrade(passage.request)?.socket ?? passage.response
    if (carrier.destroyed) leave(source)
    else carrier.once('close', () => { leave(source) })
    return true
  }
}
