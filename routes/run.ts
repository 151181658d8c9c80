import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { baseUrlOf } from '../plugins/base-url.ts'
import { subjectOf } from '../src/audit/change.ts'
import { infoOfDocument } from '../src/containers/info.ts'
import { runContainer } from '../src/containers/run.ts'
import { RunResultSchema } from '../schemas/containers.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { RunRequestSchema } from '../schemas/run.ts'

const run: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/containers/run', {
    config: { scope: 'run', holds: 'waits' },
    schema: {
      operationId: 'runContainer',
      tags: ['Containers'],
      summary: 'Run an image and get its URL',
      description: 'Pulls the image when it is missing, creates and starts the container, publishes its port on the loopback address and, with `wait_ready`, answers when the application does. When it cannot be created or started, nothing is left behind. When it does not become ready in time the answer is 504 with the last probe, the exit code and the last log lines, and the container is kept.',
      body: ref(RunRequestSchema),
      response: {
        200: { description: 'The container was there already (`if_exists: reuse`).', content: { 'application/json': { schema: ref(RunResultSchema) } } },
        201: {
          description: 'It runs, and its URLs work.',
          headers: { location: { type: 'string', description: 'Where the container is inspected.' } },
          content: { 'application/json': { schema: ref(RunResultSchema) } }
        },
        ...problems(409, 413, 415)
      }
    }
  }, async (request, reply) => {
    const { document, isNew, warnings, exit } = await runContainer(request.containers, request.body, request.gone, { onCreated: (id) => { request.change.about({ id, name: request.body.name, image: request.body.image }) } })
    request.change.about(subjectOf(document))
    const info = infoOfDocument(document, baseUrlOf(request), await app.gateway.urlFor(document, request.gone))
    reply.code(isNew ? 201 : 200).header('location', `/containers/${document.Id}`)
    if (exit === undefined) return { ...info, warnings }
    const { exitCode, ...output } = exit
    return { ...info, status: 'exited' as const, exit_code: exitCode, warnings, ...output }
  })
}

export default run
