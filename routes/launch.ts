import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { subjectOf } from '../src/audit/change.ts'
import { runContainer } from '../src/containers/run.ts'
import { withTag } from '../src/images/reference.ts'
import { LaunchRequestSchema, LaunchResultSchema } from '../schemas/launch.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'

/** The shortest way from an image to a URL. */
const launch: FastifyPluginAsyncTypebox<{ domain: string }> = async (app, { domain }) => {
  app.post('/containers', {
    config: { scope: 'run', holds: 'waits' },
    schema: {
      operationId: 'launchContainer',
      tags: ['Containers'],
      summary: 'Launch an image at a name that the engine chooses',
      description: 'Pulls the image when it is missing and runs it. The port is the one that the image exposes; of several the likeliest. `POST /containers/run` has everything else.',
      body: ref(LaunchRequestSchema),
      response: {
        201: {
          description: 'It runs.',
          headers: { location: { type: 'string', description: 'Where the container is inspected.' } },
          content: { 'application/json': { schema: ref(LaunchResultSchema) } }
        },
        ...problems(409, 413, 415)
      }
    }
  }, async (request, reply) => {
    const { image, tag } = request.body
    const { document } = await runContainer(request.containers, { image: withTag(image, tag) }, request.gone, { portRule: 'likely', onCreated: (id) => { request.change.about({ id }) } })
    request.change.about(subjectOf(document))
    const url = await app.gateway.urlFor(document, request.gone)
    reply.code(201).header('location', `/containers/${document.Id}`)
    return { status: 'success' as const, container: `${document.Name}.${domain}`, id: document.Id, name: document.Name.slice(1), url, host: url === null ? null : new URL(url).hostname }
  })
}

export default launch
