import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { checkRun } from '../src/containers/check.ts'
import { ref } from '../schemas/model.ts'
import { VerdictSchema } from '../schemas/policy.ts'
import { problems } from '../schemas/problem.ts'
import { RunRequestSchema } from '../schemas/run.ts'

const policy: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/policy/check', {
    config: { scope: 'run', change: false },
    schema: {
      operationId: 'checkPolicy',
      tags: ['Containers'],
      summary: 'Tell whether a run is allowed, and what it would ask of the engine',
      description: 'Takes what `POST /containers/run` takes. Nothing is made and nothing is pulled. What is wrong in itself is refused as there; everything that policy or the token denies is listed, with the setting that would allow it.',
      body: ref(RunRequestSchema),
      response: { 200: ref(VerdictSchema), ...problems(409, 413, 415) }
    }
  }, async (request) => await checkRun(request.containers, request.body, request.gone))
}

export default policy
