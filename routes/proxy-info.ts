import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { baseUrlOf } from '../plugins/base-url.ts'
import { infoOfDocument } from '../src/containers/info.ts'
import { DockApiError, isDockApiError } from '../src/errors.ts'
import { originOf } from '../src/forward/upstream.ts'
import { ContainerParamsSchema } from '../schemas/common.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { ProxyInfoSchema } from '../schemas/proxy.ts'

const proxyInfo: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/proxy/:id', {
    config: { scope: 'read' },
    schema: {
      operationId: 'getProxyInfo',
      tags: ['Proxy'],
      summary: 'Show where a container is reached',
      description: 'Without a trailing slash: the address that the proxy dials. With one, and with any path behind it, the application itself answers.',
      params: ContainerParamsSchema,
      response: { 200: ref(ProxyInfoSchema), ...problems(404, 409) }
    }
  }, async (request) => {
    const document = await request.containers.find(request.params.id, request.gone)
    const upstream = await request.containers.upstreamOf(document).catch((error: unknown) => {
      if (isDockApiError(error, 'upstream_not_running')) throw new DockApiError('container_not_running', error.message, { details: error.details })
      throw error
    })
    return { container_id: document.Id, upstream: originOf(upstream), reason: upstream.reason, urls: infoOfDocument(document, baseUrlOf(request), await app.gateway.urlFor(document, request.gone)).urls }
  })
}

export default proxyInfo
