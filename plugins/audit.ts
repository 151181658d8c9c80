import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { askedOf } from '../src/audit/asked.ts'
import { createChange, NO_CHANGE } from '../src/audit/change.ts'
import type { Change, Subject } from '../src/audit/change.ts'
import { createTrail } from '../src/audit/trail.ts'
import type { Trail } from '../src/audit/trail.ts'
import { isDockApiError } from '../src/errors.ts'
import { heldUpgrade } from '../src/forward/held-upgrade.ts'
import { peerOf } from '../src/gateway/asked.ts'
import { createAuditTable } from '../src/store/audit.ts'

declare module 'fastify' {
  interface FastifyInstance { audit: Trail }
  interface FastifyRequest {
    /** What the audit will say of this request; notes nothing where it only reads. */
    readonly change: Change
  }
  interface FastifyContextConfig {
    /** Whether the route changes something; left out: what is not GET, HEAD or OPTIONS and needs more than the scope `read` does. */
    change?: boolean
  }
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
const PRUNE_MS = 600_000

const CHANGE = Symbol('change')
const FOLLOWED = Symbol('followed')

/** A change that is not over. */
type Followed = { answered: PromiseWithResolvers<void>, isStreamed: boolean }
type Tracked = FastifyRequest & { [CHANGE]?: Change, [FOLLOWED]?: Followed }

/** One entry for each change that is asked for, refused ones included: written when it is over, however it ends. */
async function audit (app: FastifyInstance, { keepDays }: { keepDays: number }) {
  const trail = createTrail({
    table: createAuditTable(app.store),
    keepDays,
    log (entry) { app.log.info({ audit: entry, reqId: entry.request_id ?? undefined }, `audit: ${[entry.operation, entry.container ?? entry.image ?? entry.subject].filter((part) => part !== null).join(' ')} by ${entry.principal}: ${entry.result}`) },
    onFailure (err) { app.log.error({ err }, 'the audit could not be kept') }
  })
  /** What is to be written of those that a shutdown cuts. */
  const pending = new Map<Tracked, (code?: string) => void>()
  let timer: NodeJS.Timeout | undefined

  app.decorate('audit', trail)
  app.decorateRequest('change', { getter (this: FastifyRequest) { return (this as Tracked)[CHANGE] ?? NO_CHANGE } })

  // Before every check: what is refused is told too.
  app.addHook('onRequest', (request, reply, done) => {
    if (isChange(request)) follow(request, reply)
    done()
  })
  app.addHook('onSend', (request: Tracked, _reply, payload, done) => {
    const followed = request[FOLLOWED]
    if (followed !== undefined) {
      followed.isStreamed = typeof (payload as { pipe?: unknown } | null)?.pipe === 'function'
      followed.answered.resolve()
    }
    done()
  })

  function follow (request: Tracked, reply: FastifyReply) {
    const [startedAt, startedMs] = [new Date(), performance.now()]
    const change = createChange()
    const followed: Followed = { answered: Promise.withResolvers(), isStreamed: false }
    // An exchange ends with its answer, an upgraded connection with its socket.
    const carrier = heldUpgrade(request.raw)?.socket ?? reply.raw
    request[CHANGE] = change
    request[FOLLOWED] = followed
    pending.set(request, write)
    carrier.once('close', () => { finish().catch((err: unknown) => { app.log.error({ err }, 'the audit could not be written') }) })

    /** A client that leaves stops no change that has begun: what became of it is known with its answer. */
    async function finish () {
      if (!reply.sent) await followed.answered.promise
      await change.settled()
      write()
    }

    function write (code = resultOf(request, reply, followed)) {
      if (!pending.delete(request)) return
      const { container, image, subject } = askedOf(request)
      const { principal, id, routeOptions: { url, schema } } = request
      trail.record({
        time: startedAt.toISOString(),
        principal: principal.name,
        token_id: principal.tokenId ?? null,
        operation: (schema as { operationId?: string } | undefined)?.operationId ?? `${request.method} ${url}`,
        container_id: change.subject.id ?? null,
        container: change.subject.name ?? container,
        image: change.subject.image ?? image,
        subject: isTold(subject, change.subject) ? null : subject,
        result: code,
        status: statusOf(request, reply),
        duration_ms: Number((performance.now() - startedMs).toFixed(1)),
        request_id: id,
        peer: peerOf(request.raw)
      })
    }
  }

  app.addHook('onListen', async () => {
    trail.prune()
    timer = setInterval(() => { trail.prune() }, PRUNE_MS).unref()
  })
  app.addHook('onClose', async () => {
    clearInterval(timer)
    for (const write of pending.values()) write('shutting_down')
  })
}

function isChange ({ method, routeOptions: { url, config } }: FastifyRequest): boolean {
  if (url === undefined || config.proxied === true || config.public === true) return false
  return config.change ?? (!SAFE.has(method) && config.scope !== 'read')
}

/** The name that a body gives is the container's own, or the image's. */
function isTold (text: string | null, { name, image }: Subject): boolean {
  return text === name || (image !== undefined && (image === text || image.endsWith(`/${text}`)))
}

function resultOf ({ failure, change }: FastifyRequest, reply: FastifyReply, { isStreamed }: Followed): string {
  if (failure !== undefined) return failure.code
  if (change.failure !== undefined) return isDockApiError(change.failure) ? change.failure.code : 'internal_error'
  return isStreamed && !reply.raw.writableFinished ? 'client_gone' : 'ok'
}

/** Nothing is written of the head of an answer that switched protocols. */
function statusOf (request: FastifyRequest, reply: FastifyReply): number {
  return heldUpgrade(request.raw) !== undefined && !reply.raw.headersSent ? 101 : reply.statusCode
}

export default fp(audit, { name: 'audit', fastify: '5.x', dependencies: ['errors', 'store'] })
