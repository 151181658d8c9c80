import swaggerUi from '@fastify/swagger-ui'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ERROR_PAGE_STYLE, renderErrorPage } from '../src/docs/error-page.ts'
import { ICON } from '../src/docs/icon.ts'
import { REDOC_PAGE, REDOC_SCRIPT, REDOC_STYLE, loadRedoc } from '../src/docs/redoc.ts'
import { DockApiError } from '../src/errors.ts'

/** Nothing from another host, no inline script, no frame around the page. */
const POLICY = "default-src 'none'; base-uri 'none'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; img-src 'self' data:; script-src 'self'; style-src 'self'"

/** ReDoc writes its styles into the page and searches in a worker made from its own script. */
const REDOC_POLICY = `${POLICY} 'unsafe-inline'; worker-src blob:`

const HIDDEN = { schema: { hide: true } }

/** The API described: for people at `/docs` and `/redoc`, for programs at `/openapi.json`. All of it is public. */
const docs: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRoute', (route) => { route.config = { ...route.config, public: true } })

  app.get('/openapi.json', HIDDEN, async () => app.swagger())

  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: POLICY,
    theme: { title: 'dockAPI', favicon: [{ filename: 'icon.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: ICON }] },
    uiConfig: { layout: 'BaseLayout', deepLinking: true, displayRequestDuration: true, tryItOutEnabled: true, defaultModelsExpandDepth: 0, persistAuthorization: false }
  })

  const errorPage = renderErrorPage(app.errorCatalogue)
  app.get('/docs/errors', HIDDEN, async (_request, reply) => reply.type('text/html').header('content-security-policy', POLICY).send(errorPage))
  app.get('/docs/errors.css', HIDDEN, async (_request, reply) => reply.type('text/css').send(ERROR_PAGE_STYLE))

  let redoc: Promise<string | undefined> | undefined
  app.get('/redoc', HIDDEN, async (_request, reply) => reply.type('text/html').header('content-security-policy', REDOC_POLICY).send(REDOC_PAGE))
  app.get('/redoc/icon.svg', HIDDEN, async (_request, reply) => reply.type('image/svg+xml').send(ICON))
  app.get('/redoc/page.css', HIDDEN, async (_request, reply) => reply.type('text/css').send(REDOC_STYLE))
  app.get('/redoc/page.js', HIDDEN, async (_request, reply) => reply.type('text/javascript').send(REDOC_SCRIPT))
  app.get('/redoc/redoc.standalone.js', HIDDEN, async (_request, reply) => {
    redoc ??= loadRedoc()
    const script = await redoc
    if (script === undefined) throw new DockApiError('route_not_found', 'ReDoc is not installed here: run npm ci.')
    return reply.type('text/javascript').header('cache-control', 'no-cache').send(script)
  })
}

export default docs
