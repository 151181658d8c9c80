import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Bytes } from '../schemas/bytes.ts'
import { ContainerParamsSchema } from '../schemas/common.ts'
import { FileListingSchema, FileQuerySchema, WriteQuerySchema, WrittenFilesSchema } from '../schemas/files.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { permitFiles } from '../src/auth/permit.ts'
import { DockApiError } from '../src/errors.ts'
import { discard } from '../src/files/incoming.ts'
import { attachmentOf, mediaTypeOf } from '../src/files/media.ts'
import { checkPath } from '../src/files/path.ts'
import { listFolder, openFile, openTar } from '../src/files/read.ts'
import { findPath } from '../src/files/stat.ts'
import { unpackTar, writeFile } from '../src/files/write.ts'
import { negotiateType } from '../src/streams/form.ts'

const RAW = 'application/octet-stream'
const TAR = 'application/x-tar'
const JSON_TYPE = 'application/json'

const files: FastifyPluginAsyncTypebox = async (app) => {
  // Every body is a file here, JSON too. A page of another origin has to ask before it may PUT.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, body, done) => { done(null, body) })

  app.get('/containers/:id/files', {
    config: { scope: 'exec', holds: 'streams' },
    schema: {
      operationId: 'readContainerFiles',
      tags: ['Files'],
      summary: 'Read a file, a folder, or what is in it',
      description: 'A file as it is; a folder as a tar. With `Accept: application/json` what is there and, of a folder, what is directly in it; with `Accept: application/x-tar` a file as a tar too. `HEAD` tells type, size and time. The container need not run. Links are followed, within the container.',
      params: ContainerParamsSchema,
      querystring: FileQuerySchema,
      response: {
        200: {
          description: 'The file, the folder, or what is in it.',
          headers: {
            'content-disposition': { type: 'string', description: 'The name, for keeping: `attachment; filename="…"`.' },
            'x-file-type': { type: 'string', description: '`file`, `directory`, …' },
            'x-file-mode': { type: 'string', description: 'Permissions, as `chmod` writes them.' }
          },
          content: { [JSON_TYPE]: { schema: ref(FileListingSchema) }, [RAW]: { schema: Bytes('The file.') }, [TAR]: { schema: Bytes('A tar.') } }
        },
        ...problems(404, 406, 409, 429)
      }
    }
  }, async (request, reply) => {
    permitFiles(request.principal.grant)
    const path = checkPath(request.query.path)
    const document = await request.containers.find(request.params.id, request.gone)
    const found = await findPath(app.engine, document, path, request.gone)
    const { entry } = found
    if (entry.type !== 'file' && entry.type !== 'directory') describeOnly(request.headers.accept, path, entry.type)
    const type = negotiateType(request.headers.accept, entry.type === 'file' ? [RAW, TAR, JSON_TYPE] : entry.type === 'directory' ? [TAR, JSON_TYPE] : [JSON_TYPE])
    reply.headers({ vary: 'Accept', 'x-file-type': entry.type, 'x-file-mode': entry.mode, 'last-modified': new Date(entry.mtime).toUTCString() })
    const name = entry.name === '/' ? 'root' : entry.name
    return await ({ [RAW]: sendRaw, [TAR]: sendTar, [JSON_TYPE]: sendListing })[type]!(reply)

    async function sendListing (reply: FastifyReply) {
      if (request.method === 'HEAD') return await reply.type(JSON_TYPE).send(Readable.from([]))
      if (entry.type === 'directory') return await listFolder(app.engine, document.Id, found, request.gone)
      return await reply.send({ path: found.path, ...entry, entries: [], truncated: false })
    }

    async function sendTar (reply: FastifyReply) {
      reply.type(TAR).header('content-disposition', attachmentOf(`${name}.tar`))
      if (request.method === 'HEAD') return await reply.send(Readable.from([]))
      return await reply.send(await app.streams.admit((signal) => openTar(app.engine, document.Id, found, signal), request.gone))
    }

    async function sendRaw (reply: FastifyReply) {
      reply.type(mediaTypeOf(name)).header('content-disposition', attachmentOf(name))
      if (request.method === 'HEAD') return await reply.header('content-length', entry.size).send(Readable.from([]))
      return await reply.send(await app.streams.admit(async (signal) => {
        const { size, content } = await openFile(app.engine, document.Id, found, signal)
        reply.header('content-length', size)
        return content
      }, request.gone))
    }
  })

  app.put('/containers/:id/files', {
    config: { scope: 'exec', holds: 'streams' },
    schema: {
      operationId: 'writeContainerFiles',
      tags: ['Files'],
      summary: 'Write a file, or unpack a tar into a folder',
      description: 'Any body is the content of the file `path`; a body of the type `application/x-tar` is unpacked into the folder `path`. The folder must be there. What is written belongs to the user that the container runs as. A tar is plain, not packed, and has only files, folders, and links that stay within the folder: anything else is refused. Nothing is written before the whole body is here and found good. At most DOCKAPI_MAX_UPLOAD bytes and 100,000 entries.',
      params: ContainerParamsSchema,
      querystring: WriteQuerySchema,
      body: { content: { [RAW]: { schema: Bytes('The content of the file.') }, [TAR]: { schema: Bytes('A plain tar, streamed.') } } },
      response: { 200: ref(WrittenFilesSchema), ...problems(404, 408, 409, 413, 415) }
    }
  }, async (request) => {
    const body = request.body instanceof Readable ? request.body : Readable.from([])
    try {
      permitFiles(request.principal.grant)
      const path = checkPath(request.query.path)
      const document = await request.containers.find(request.params.id, request.gone)
      if (/^application\/x-tar\b/i.test(request.headers['content-type'] ?? '')) return await unpackTar(request.containers, document, path, body, request.gone)
      const mode = Number.parseInt(request.query.mode ?? '0644', 8)
      return await writeFile(request.containers, document, path, { body, mode }, request.gone)
    } catch (error) {
      discard(body)
      throw error
    }
  })
}

function describeOnly (accept: string | undefined, path: string, type: string): void {
  if (accept?.includes(JSON_TYPE) !== true) throw new DockApiError('not_a_file', `"${path}" is neither a file nor a folder, but a ${type.replace('_', ' ')}.`)
}

export default files
