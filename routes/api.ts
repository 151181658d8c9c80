import type { FastifyPluginAsync } from 'fastify'
import { DockApiError } from '../src/errors.ts'
import { isOwnPageOrProgram } from '../src/guard/own-page.ts'
import containers from './api/containers.ts'
import images from './api/images.ts'
import logs from './api/logs.ts'

/**
 * The contract of web front-ends, under a prefix of its own: the root API in other words, no logic of its own. Their pages post JSON with `fetch` and no
 * content type, which the browser then calls text/plain: here that is JSON too, when no foreign page can have sent it.
 */
const api: FastifyPluginAsync = async (app) => {
  app.addHook('onRequest', async ({ headers }) => {
    if (!/^text\/plain\b/i.test(headers['content-type'] ?? '') || isOwnPageOrProgram(headers)) return
    throw new DockApiError('unsupported_media_type', 'A body of the type text/plain is taken from the API\'s own pages and from programs only.')
  })
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, app.jsonParser)

  await app.register(containers)
  await app.register(logs)
  await app.register(images)
}

export default api
