import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { baseUrlOf } from '../plugins/base-url.ts'
import { checkHealthPath } from '../src/containers/health-path.ts'
import { infoOfDocument } from '../src/containers/info.ts'
import { withName } from '../src/containers/names.ts'
import { waitUntilReady } from '../src/containers/readiness.ts'
import { changeLimits } from '../src/containers/update.ts'
import { stopTimeoutOf } from '../src/containers/stop.ts'
import { waitForExit } from '../src/containers/wait.ts'
import { killContainer, pauseContainer, renameContainer, restartContainer, startContainer, stopContainer, unpauseContainer } from '../src/engine/containers.ts'
import type { ContainerDocument } from '../src/engine/containers.ts'
import { waitForContainer } from '../src/engine/waiting.ts'
import { isDockApiError } from '../src/errors.ts'
import { isEndingSignal, stopSignalOf } from '../src/gateway/signals.ts'
import { ContainerParamsSchema } from '../schemas/common.ts'
import { ContainerInfoSchema, ExitSchema, KillQuerySchema, RenameBodySchema, StartQuerySchema, StopQuerySchema, WaitQuerySchema } from '../schemas/containers.ts'
import type { ContainerInfo } from '../schemas/containers.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { UpdateRequestSchema } from '../schemas/run.ts'

/** How long the engine may take to remove a container that has ended, in milliseconds. */
const REMOVAL_TIMEOUT_MS = 10_000

/** What a route with a body may answer beside the rest. */
const BODY_PROBLEMS = problems(404, 409, 413, 415)

const RUN = { scope: 'run' } as const

/** The verbs that change a container that is there. Each answers with the container as it is then. */
const lifecycle: FastifyPluginAsyncTypebox = async (app) => {
  const schemaOf = (operationId: string, summary: string, description?: string) => ({
    operationId,
    tags: ['Containers'],
    summary,
    ...(description === undefined ? {} : { description }),
    params: ContainerParamsSchema,
    response: { 200: ref(ContainerInfoSchema), ...problems(404, 409) }
  })

  app.post('/containers/:id/start', {
    config: { ...RUN, holds: 'waits' },
    schema: { ...schemaOf('startContainer', 'Start a container', 'One that runs already is success. The host port may be another than before.'), querystring: StartQuerySchema }
  }, async (request) => {
    const { wait_ready: isWaiting, health_path: healthPath, wait_timeout: seconds } = request.query
    if (healthPath !== undefined) checkHealthPath(healthPath, 'query')
    const before = await request.containers.find(request.params.id)
    await startContainer(app.engine, before.Id)
    const document = isWaiting
      ? await waitUntilReady(request.containers, before, { healthPath, timeoutMs: seconds * 1000, signal: request.gone })
      : await request.containers.find(before.Id)
    return { ...await describe(document, request), status: 'running' as const }
  })

  app.post('/containers/:id/stop', {
    config: RUN,
    schema: { ...schemaOf('stopContainer', 'Stop a container', 'One that is stopped already is success. The gateway sends it no new requests, and those in flight get up to five seconds (never more than `timeout`) to finish first.'), querystring: StopQuerySchema }
  }, async (request) => {
    const before = await request.containers.find(request.params.id)
    const { timeout, signal } = request.query
    await app.gateway.drain(before.Id, () => stopContainer(app.engine, before.Id, { graceSeconds: timeout ?? stopTimeoutOf(before), signal }), drainMsOf(timeout))
    return { ...await describe(await stateAfterStop(before, request), request), status: 'stopped' as const }
  })

  app.post('/containers/:id/restart', {
    config: RUN,
    schema: { ...schemaOf('restartContainer', 'Restart a container'), querystring: StopQuerySchema }
  }, async (request) => {
    const before = await request.containers.find(request.params.id)
    const { timeout, signal } = request.query
    await app.gateway.drain(before.Id, () => restartContainer(app.engine, before.Id, { graceSeconds: timeout ?? stopTimeoutOf(before), signal }), drainMsOf(timeout))
    return await describe(await request.containers.find(before.Id), request)
  })

  app.post('/containers/:id/kill', {
    config: RUN,
    schema: { ...schemaOf('killContainer', 'Send a signal to a container'), querystring: KillQuerySchema }
  }, async (request) => {
    const before = await request.containers.find(request.params.id)
    const signal = request.query.signal ?? 'SIGKILL'
    const kill = () => killContainer(app.engine, before.Id, signal)
    await (isEndingSignal(signal, stopSignalOf(before)) ? app.gateway.drain(before.Id, kill) : kill())
    return await describe(await findOrEnded(before, request), request)
  })

  app.post('/containers/:id/pause', { config: RUN, schema: schemaOf('pauseContainer', 'Freeze every process of a container') }, async (request) => {
    const { Id: id } = await request.containers.find(request.params.id)
    await pauseContainer(app.engine, id)
    return await describe(await request.containers.find(id), request)
  })

  app.post('/containers/:id/unpause', { config: RUN, schema: schemaOf('unpauseContainer', 'Let a paused container go on') }, async (request) => {
    const { Id: id } = await request.containers.find(request.params.id)
    await unpauseContainer(app.engine, id)
    return await describe(await request.containers.find(id), request)
  })

  app.post('/containers/:id/rename', {
    config: RUN,
    schema: { ...schemaOf('renameContainer', 'Give a container another name', 'The label `dockapi.name` keeps the name that was given at run: labels cannot be changed.'), body: RenameBodySchema, response: { 200: ref(ContainerInfoSchema), ...BODY_PROBLEMS } }
  }, async (request) => {
    const { Id: id } = await request.containers.find(request.params.id)
    const { name } = request.body
    await withName(request.containers, name, () => renameContainer(app.engine, id, name))
    return await describe(await request.containers.find(id), request)
  })

  app.patch('/containers/:id', {
    config: RUN,
    schema: { ...schemaOf('updateContainer', 'Change limits and restart policy'), body: ref(UpdateRequestSchema), response: { 200: ref(ContainerInfoSchema), ...BODY_PROBLEMS } }
  }, async (request) => {
    const { Id: id } = await request.containers.find(request.params.id)
    await changeLimits(request.containers, id, request.body)
    return await describe(await request.containers.find(id), request)
  })

  app.post('/containers/:id/wait', {
    config: { scope: 'read', holds: 'waits' },
    schema: {
      ...schemaOf('waitForContainer', 'Wait for the end of a container'),
      querystring: WaitQuerySchema,
      response: { 200: ref(ExitSchema), ...problems(404, 409) }
    }
  }, async (request) => {
    const document = await request.containers.find(request.params.id)
    return { id: document.Id, exit_code: await waitForExit(app.engine, document, request.query.condition, { timeoutMs: request.query.timeout * 1000, signal: request.gone }) }
  })

  async function describe (document: ContainerDocument, request: FastifyRequest): Promise<ContainerInfo> {
    return infoOfDocument(document, baseUrlOf(request), await app.gateway.urlFor(document, request.gone))
  }

  /** When a container with `auto_remove` has stopped, the answer waits until its name is free again. */
  async function stateAfterStop (before: ContainerDocument, request: FastifyRequest): Promise<ContainerDocument> {
    if (before.HostConfig.AutoRemove === true) {
      await waitForContainer(app.engine, before.Id, 'removed', { timeoutMs: REMOVAL_TIMEOUT_MS }).catch(ignoreNotFound)
    }
    return await findOrEnded(before, request)
  }

  /** The container of now; of one that is gone, its last document, as ended. */
  async function findOrEnded (before: ContainerDocument, request: FastifyRequest): Promise<ContainerDocument> {
    const document = await request.containers.find(before.Id).catch(ignoreNotFound)
    return document ?? { ...before, State: { ...before.State, Status: 'exited', Running: false } }
  }
}

/** Requests in flight get at most the grace that the caller gives the container; `timeout=0` is now. */
function drainMsOf (timeoutSeconds: number | undefined): number | undefined {
  return timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000
}

function ignoreNotFound (error: unknown): undefined {
  if (!isDockApiError(error, 'container_not_found')) throw error
}

export default lifecycle
