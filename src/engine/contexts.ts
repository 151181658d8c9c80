import { createHash } from 'node:crypto'
import { posix, win32 } from 'node:path'
import { Type } from '@sinclair/typebox'
import type { Static, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { EngineEnvironment } from '../config/schema.ts'
import { DockApiError } from '../errors.ts'
import type { Machine } from './machine.ts'

/** An engine that the docker CLI knows by name (`docker context ls`). */
export type Context = {
  name: string
  /** Who named it: `DOCKER_CONTEXT` or the CLI's config file. */
  source: string
  host: string
  isTlsVerified: boolean
  /** Files of the context's own TLS material, those that exist. */
  ca?: string
  cert?: string
  key?: string
}

const ConfigFileSchema = Type.Object({ currentContext: Type.Optional(Type.String()) })
const MetaFileSchema = Type.Object({
  Endpoints: Type.Object({
    docker: Type.Object({ Host: Type.Optional(Type.String()), SkipTLSVerify: Type.Optional(Type.Boolean()) })
  })
})

/**
 * The context that the docker CLI would use: `DOCKER_CONTEXT`, else `currentContext` of its config file; undefined for
 * none and for `default`. Layout of the files: docker/cli `cli/context/store`.
 * @throws DockApiError `engine_unavailable` when the named context does not exist or a file of it is broken.
 */
export function findContext (environment: EngineEnvironment, machine: Machine): Context | undefined {
  const path = machine.platform === 'win32' ? win32 : posix
  const folder = environment.DOCKER_CONFIG ?? path.join(machine.home, '.docker')
  const configFile = path.join(folder, 'config.json')
  const name = environment.DOCKER_CONTEXT ?? readJson(configFile, ConfigFileSchema, machine)?.currentContext ?? ''
  if (name === '' || name === 'default') return undefined

  const source = environment.DOCKER_CONTEXT === undefined ? configFile : 'DOCKER_CONTEXT'
  const id = createHash('sha256').update(name).digest('hex')
  const metaFile = path.join(folder, 'contexts', 'meta', id, 'meta.json')
  const endpoint = readJson(metaFile, MetaFileSchema, machine)?.Endpoints.docker
  if (endpoint?.Host === undefined || endpoint.Host === '') throw unknownContext(name, source, metaFile)

  const tlsFolder = path.join(folder, 'contexts', 'tls', id, 'docker')
  const files = (['ca', 'cert', 'key'] as const)
    .map((item) => [item, path.join(tlsFolder, `${item}.pem`)] as const)
    .filter(([, file]) => machine.access(file) !== 'missing')
  return { name, source, host: endpoint.Host, isTlsVerified: endpoint.SkipTLSVerify !== true, ...Object.fromEntries(files) }
}

function readJson<T extends TSchema> (file: string, schema: T, machine: Machine): Static<T> | undefined {
  try {
    const text = machine.readText(file)
    if (text === undefined) return undefined
    const value: unknown = JSON.parse(text)
    Value.Assert(schema, value)
    return value
  } catch (error) {
    throw new DockApiError('engine_unavailable', `The docker CLI's file ${file} cannot be understood, so which engine to use is unknown.`,
      { hint: 'Correct the file (docker context ls reads it too), or set DOCKER_HOST, which needs no file.', cause: error })
  }
}

function unknownContext (name: string, source: string, metaFile: string): DockApiError {
  return new DockApiError('engine_unavailable', `The Docker context "${name}" (named by ${source}) has no engine: ${metaFile} does not exist or names no host.`,
    { hint: 'docker context ls lists the contexts; choose one with docker context use, or set DOCKER_HOST.' })
}
