import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { describeFailure } from '../plugins/errors.ts'
import { ContainerParamsSchema } from '../schemas/common.ts'
import {
  ExecEventSchema, ExecInfoSchema, ExecParamsSchema, ExecQuerySchema, ExecRequestSchema, ExecResultSchema, ExecStartedSchema, KillExecQuerySchema
} from '../schemas/exec.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { EXEC_SOCKET, SWITCH_RESPONSE } from '../schemas/sockets.ts'
import { streamContent } from '../schemas/streams.ts'
import { EXEC_PROTOCOLS, EXEC_SOCKET_LIMITS, serveCommand } from '../src/exec/interactive.ts'
import { orderFromQuery, orderFromRequest } from '../src/exec/order.ts'
import { collectCommand, streamCommand } from '../src/exec/run.ts'
import { selectProtocol } from '../src/sockets/handshake.ts'

const exec: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/containers/:id/exec', {
    config: { scope: 'exec', holds: 'execs' },
    schema: {
      operationId: 'execInContainer',
      tags: ['Streams'],
      summary: 'Run a command inside a container',
      description: 'Answers when the command has ended; an exit code other than 0 is still 200. A string is split as a shell splits words, but no shell runs. As NDJSON or Server-Sent Events the output comes as it is written, then `exit`. After `timeout`, or when the client leaves, the command is ended. `detach` answers 202 at once.',
      params: ContainerParamsSchema,
      body: ref(ExecRequestSchema),
      response: {
        200: { description: 'What the command gave back.', content: { ...streamContent(ExecEventSchema), 'application/json': { schema: ref(ExecResultSchema) } } },
        202: ref(ExecStartedSchema),
        ...problems(404, 406, 409, 413, 415, 429)
      }
    }
  }, async (request, reply) => {
    const { body } = request
    const form = request.negotiateForm(['json', 'ndjson', 'sse'])
    const order = orderFromRequest(request.principal.grant, body)
    const document = await request.containers.find(request.params.id, request.gone)
    if (order.isDetached) {
      const { id } = await app.execs.start(document, order, request.gone)
      return await reply.code(202).send({ id: document.Id, exec_id: id, status: 'running' })
    }
    if (form !== 'json') return await reply.sendStream({ form, open: async (signal) => streamCommand(await app.execs.open(document, order, signal), body) })
    const command = await app.streams.admit((signal) => app.execs.open(document, order, signal), request.gone)
    return await collectCommand(command, body)
  })

  app.get('/containers/:id/exec', {
    exposeHeadRoute: false,
    config: { scope: 'exec', holds: 'execs', change: true },
    schema: {
      operationId: 'openExec',
      tags: ['Streams'],
      summary: 'Run a command inside a container and talk to it',
      description: EXEC_SOCKET,
      params: ContainerParamsSchema,
      querystring: ExecQuerySchema,
      response: { 101: SWITCH_RESPONSE, ...problems(404, 409, 426, 429) }
    }
  }, async (request, reply) => {
    const document = await request.containers.find(request.params.id, request.gone)
    request.requireSocket()
    const { stdout, stderr, max_output: maxOutputBytes } = request.query
    const protocol = selectProtocol(request.raw, EXEC_PROTOCOLS)
    const order = orderFromQuery(request.principal.grant, request.query)
    await app.streams.admit(async (signal) => {
      const command = await app.execs.open(document, order, signal)
      const socket = reply.acceptSocket(EXEC_SOCKET_LIMITS, protocol)
      const outputs = [...stdout ? ['stdout' as const] : [], ...stderr ? ['stderr' as const] : []]
      const served = serveCommand(socket, command, { protocol: protocol ?? EXEC_PROTOCOLS[0], outputs, maxOutputBytes, describe: (error) => describeFailure(error, request) })
        .catch(() => { socket.destroy() })
      request.change.hold(served)
      return socket
    }, request.gone)
    return reply
  })

  app.get('/containers/:id/execs', {
    config: { scope: 'exec' },
    schema: {
      operationId: 'listExecs',
      tags: ['Streams'],
      summary: 'List the commands that were run in a container',
      description: 'Those that were started through this server since it started, the last one first; of the last 1,000 in all.',
      params: ContainerParamsSchema,
      response: { 200: { description: 'Running and ended commands.', content: { 'application/json': { schema: Type.Array(ref(ExecInfoSchema)) } } }, ...problems(404, 409) }
    }
  }, async (request) => {
    const { Id: id } = await request.containers.find(request.params.id, request.gone)
    return await app.execs.list(id, request.principal.grant, request.gone)
  })

  app.delete('/containers/:id/execs/:exec_id', {
    config: { scope: 'exec' },
    schema: {
      operationId: 'killExec',
      tags: ['Streams'],
      summary: 'End a command',
      description: 'Sends a signal to the command and to what it started, and answers when the command has ended, or after a second. The engine has no call for this: dockAPI signals the processes itself where it sees them (as root on the engine\'s machine), else with the image\'s `sh`; where neither is possible the answer is 409 and the command goes on.',
      params: Type.Composite([ContainerParamsSchema, ExecParamsSchema]),
      querystring: KillExecQuerySchema,
      response: { 200: ref(ExecInfoSchema), ...problems(404, 409) }
    }
  }, async (request) => {
    const { Id: id } = await request.containers.find(request.params.id, request.gone)
    return await app.execs.kill(id, request.params.exec_id, request.principal.grant, request.query.signal)
  })
}

export default exec
