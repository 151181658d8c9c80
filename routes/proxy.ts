import { METHODS } from 'node:http'
import httpProxy from '@fastify/http-proxy'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DockApiError } from '../src/errors.ts'
import { sandboxPolicyFor } from '../src/guard/sandbox.ts'
import { parseProxyUrl } from '../src/forward/proxy-url.ts'

/** `ANY /proxy/{id}/*`: the application inside a container. */
async function proxy (app: FastifyInstance) {
  const methods = METHODS.filter((method) => method !== 'CONNECT')
  for (const method of methods) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
  }

  // Whatever the application offers is no operation of this API: the OpenAPI document leaves it out.
  app.addHook('onRoute', (route) => { route.schema = { ...route.schema, hide: true } })
  // The body is the application's. Fastify refuses a body whose type it cannot read before any handler sees it, so all look alike to
  // it here; what is forwarded are the raw headers.
  app.addHook('onRequest', (request, _reply, done) => {
    request.raw.headers['content-type'] = 'application/octet-stream'
    done()
  })
  app.removeAllContentTypeParsers()

  await app.register(httpProxy, {
    prefix: '/proxy/:id',
    routes: ['/*'],
    httpMethods: methods,
    // Takes the reply over before its own handler, which would decode, check and rebuild the URL (docs/adr/0002). Its transport is never
    // used either: no agent is made, and no name is ever looked up.
    preHandler: forward,
    upstream: '',
    undici: { request: () => {} } as object,
    replyOptions: { getUpstream: () => 'http://container.invalid' },
    config: { proxied: true, scope: 'read' }
  })

  async function forward (request: FastifyRequest, reply: FastifyReply) {
    if (request.method === 'TRACE') throw new DockApiError('method_not_allowed', 'TRACE is not forwarded: it would echo credentials.')
    const proxied = parseProxyUrl(request.originalUrl)
    if (proxied === undefined) throw new DockApiError('container_not_found', 'This path names no container.')
    const { reference, port, prefix } = proxied
    const upstream = await request.containers.upstream(reference, { port })
    await app.forwarder.forward(request.raw, reply.raw, upstream, {
      rawUrl: request.originalUrl,
      prefix,
      stripAuthorization: app.guard.isOwnToken(request.headers.authorization),
      addedPolicy: sandboxPolicyFor(request.headers)
    })
    reply.hijack()
  }
}

export default proxy
