import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { defaultName } from '../../src/containers/default-name.ts'
import { infoOfSummary } from '../../src/containers/info.ts'
import type { Launch } from '../../src/containers/launches.ts'
import { giveUp, locateContainer } from '../../src/containers/located.ts'
import { selectPage } from '../../src/containers/page.ts'
import { formatPortPairs, parsePortPairs } from '../../src/containers/port-pairs.ts'
import { stopAndRemove, stopTimeoutOf } from '../../src/containers/stop.ts'
import { startContainer, stopContainer } from '../../src/engine/containers.ts'
import { DockApiError } from '../../src/errors.ts'
import { ApiContainersSchema, ApiDoneSchema, ApiLaunchSchema, ApiRunRequestSchema } from '../../schemas/api.ts'
import { ContainerParamsSchema } from '../../schemas/common.ts'
import { ref } from '../../schemas/model.ts'
import { problems } from '../../schemas/problem.ts'

/** What the answer tells, word for word as front-ends show it; how it goes is in the log. */
const FIRST_LINES = ['[init] pulling image...', '[init] creating container...']

const containers: FastifyPluginAsyncTypebox = async (app) => {
  const schemaOf = (operationId: string, summary: string, description: string) => ({
    operationId,
    tags: ['Under /api'],
    summary,
    description,
    params: ContainerParamsSchema,
    response: { 200: ref(ApiDoneSchema), ...problems(404, 409) }
  })
  const locate = (request: FastifyRequest<{ Params: { id: string } }>) => locateContainer(request.containers, app.launches, request.params.id, request.gone)

  app.get('/containers', {
    config: { scope: 'read' },
    schema: {
      operationId: 'listApiContainers',
      tags: ['Under /api'],
      summary: 'List containers in few words',
      response: { 200: ref(ApiContainersSchema), ...problems() }
    }
  }, async (request) => {
    const { items } = selectPage(await request.containers.list({}, request.gone), {})
    const known = new Set(items.map(({ Id }) => Id))
    const shown = items.map((summary) => {
      const { name, image, status, created_at: created, ports } = infoOfSummary(summary, '', null)
      const id = app.launches.ofContainer(summary.Id)?.id ?? summary.Id.slice(0, 12)
      return { id, name, image, status: status as 'running', createdAt: Date.parse(created), ports: formatPortPairs(ports) }
    })
    const launches = app.launches.withoutContainer(request.principal.grant).filter(({ containerId }) => containerId === undefined || !known.has(containerId))
    return { containers: [...launches.map(describeLaunch), ...shown] }
  })

  app.post('/containers', {
    config: { scope: 'run' },
    schema: {
      operationId: 'createApiContainer',
      tags: ['Under /api'],
      summary: 'Make and start a container, and answer at once',
      description: 'What can be refused at once is. Then the image is pulled when it is missing, and the container made and started; how that goes is in its log and in the list. The body is JSON; a page may leave the content type out.',
      body: ref(ApiRunRequestSchema),
      response: { 200: ref(ApiLaunchSchema), ...problems(409, 413, 415, 429) }
    }
  }, async (request) => {
    const { image, name = defaultName(image), ports = [] } = request.body
    const launch = await app.launches.begin(request.containers, { image, name, ...parsePortPairs(ports) })
    request.change.about({ id: launch.containerId, name, image })
    request.change.hold(launch.ended.finally(() => { request.change.about({ id: launch.containerId }) }))
    return { id: launch.id, name, status: 'initializing' as const, logs: FIRST_LINES }
  })

  app.post('/containers/:id/start', {
    config: { scope: 'run' },
    schema: schemaOf('startApiContainer', 'Start it', 'One that runs already, or is about to, is success.')
  }, async (request) => {
    const { id, document, launch } = await locate(request)
    if (launch?.state === 'failed' && document === undefined) throw new DockApiError('container_not_found', `The container "${launch.name}" could not be made.`, { hint: 'Its log says why.' })
    if (document !== undefined && launch?.state !== 'initializing') await startContainer(app.engine, document.Id)
    return { success: true as const, id }
  })

  app.post('/containers/:id/stop', {
    config: { scope: 'run' },
    schema: schemaOf('stopApiContainer', 'Stop it', 'One that is stopped already is success; one that is in the making is given up.')
  }, async (request) => {
    const { id, document } = await giveUp(request.containers, app.launches, await locate(request))
    if (document !== undefined) await app.gateway.drain(document.Id, () => stopContainer(app.engine, document.Id, { graceSeconds: stopTimeoutOf(document) }))
    return { success: true as const, id }
  })

  app.delete('/containers/:id', {
    config: { scope: 'run' },
    schema: schemaOf('deleteApiContainer', 'Remove it', 'A running one is stopped first; one that is in the making is given up; one that could not be made is forgotten.')
  }, async (request) => {
    const { id, document, launch } = await giveUp(request.containers, app.launches, await locate(request))
    if (document !== undefined) {
      await app.tombstones.keep(document.Id)
      await app.gateway.drain(document.Id, () => stopAndRemove(app.engine, document))
    }
    if (launch !== undefined) app.launches.forget(launch)
    return { success: true as const, id }
  })
}

function describeLaunch ({ id, name, image, state, createdAtMs }: Launch) {
  return { id, name, image, status: state === 'failed' ? 'error' as const : 'initializing' as const, createdAt: createdAtMs, ports: [] }
}

export default containers
