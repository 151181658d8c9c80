import fp from 'fastify-plugin'
import type { FastifyBodyParser, FastifyInstance } from 'fastify'
import { invalidField } from '../src/errors.ts'
import { repeatedMember } from '../src/guard/repeated-member.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Reads a JSON body: one meaning only, and nothing that reaches the prototypes of JavaScript. */
    readonly jsonParser: FastifyBodyParser<string>
  }
}

/** How JSON is read, everywhere. */
async function jsonBody (app: FastifyInstance) {
  const parse = app.getDefaultJsonParser('error', 'error')
  const jsonParser: FastifyBodyParser<string> = (request, text, done) => parse(request, text, (error, body) => {
    const pointer = error === null ? repeatedMember(text) : undefined
    done(pointer === undefined ? error : invalidField('body', pointer, 'stands there twice', 'Send each field of an object once.'), body)
  })
  app.decorate('jsonParser', jsonParser)
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, jsonParser)
}

export default fp(jsonBody, { name: 'json-body', fastify: '5.x' })
