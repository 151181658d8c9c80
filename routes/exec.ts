import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ContainerParamsSchema } from '../schemas/common.ts'
import { ExecRequestSchema, ExecResultSchema } from '../schemas/exec.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { runCommand } from '../src/streams/exec.ts'

const exec: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/containers/:id/exec', {
    config: { scope: 'exec' },
    schema: {
      operationId: 'execInContainer',
      tags: ['Streams'],
      summary: 'Run a command inside a container',
      description: 'Answers when the command has ended; an exit code other than 0 is still 200. A string is split as a shell splits words, but no shell runs. Output is cut at 1 MiB for each of stdout and stderr. After `timeout`, or when the client leaves, the command is ended, if the image has `sh`, `tr` and `grep`.',
      params: ContainerParamsSchema,
      body: ref(ExecRequestSchema),
      response: { 200: ref(ExecResultSchema), ...problems(404, 409, 413, 415) }
    }
  }, async (request) => {
    const document = await request.containers.find(request.params.id, request.gone)
    return await runCommand(request.containers, document, request.body, request.gone)
  })
}

export default exec
