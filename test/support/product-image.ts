import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { listNpmBase } from '../../scripts/base-images.ts'
import { buildImage, hasImage, importImage, listFolder } from '../../scripts/images.ts'
import type { Entry } from '../../scripts/images.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { engineFromEnvironment, TEST_LABELS, TEST_RUN } from './engine.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** The registry that npm is set to here; the build inside the engine asks the same. */
const REGISTRY = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim()

const BASE_LABELS = { 'dockapi-base': 'true' }

export type ProductImage = { image: string, base: string }

/**
 * Builds the `Dockerfile` on a base made from this machine's Node and npm. The image goes with the test; the base and the stage with the
 * dependencies are kept, as other bases are, so that only the first build on an engine takes its time.
 */
export async function buildProductImage (engine: Engine): Promise<ProductImage> {
  const base = await ensureNpmBase(engine)
  const image = `dockapi-test-product:${TEST_RUN}`
  const context = await listContext()
  const options = { buildargs: { NODE_IMAGE: base }, networkmode: 'host' }
  await buildImage(engine, `dockapi-base-dependencies:${base.split(':')[1]}`, context, { ...options, labels: BASE_LABELS, target: 'dependencies' })
  await buildImage(engine, image, context, { ...options, labels: { ...TEST_LABELS } })
  return { image, base }
}

/** Named by what it is made of. */
async function ensureNpmBase (engine: Engine): Promise<string> {
  const certificates = process.env.NODE_EXTRA_CA_CERTS
  const changes = [
    ...certificates === undefined ? [] : ['ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/extra.crt'],
    ...Object.entries(BASE_LABELS).map(([name, value]) => `LABEL ${name}=${value}`),
    `ENV npm_config_registry=${REGISTRY}`
  ]
  const made = createHash('sha256').update([process.versions.node, ...changes, certificates === undefined ? '' : await readFile(certificates)].join('\n')).digest('hex').slice(0, 12)
  const base = `dockapi-base-npm:${made}`
  if (!await hasImage(engine, base)) await importImage(engine, base, (await listNpmBase(engine))!, changes)
  return base
}

/** Why the image cannot be built here, or `false`; for the options of a test. */
export async function reasonToSkipProductImage (): Promise<string | false> {
  const engine = engineFromEnvironment()
  try {
    if (engine.endpoint.kind !== 'unix') return 'the engine is not on this machine'
    if (await listNpmBase(engine) === undefined) return 'no base image can be made from this machine\'s files'
    return await fetch(REGISTRY, { signal: AbortSignal.timeout(10_000) }).then(() => false, () => 'npm\'s registry cannot be reached')
  } finally {
    await engine.close()
  }
}

/** What `.dockerignore` lets through to the builder: it shuts everything out and names the exceptions. */
async function listContext (): Promise<Entry[]> {
  const lines = (await readFile(`${ROOT}.dockerignore`, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const names = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  const entries = await Promise.all(names.map(async (name): Promise<Entry[]> => {
    const source = `${ROOT}${name}`
    return (await stat(source)).isDirectory() ? await listFolder(source, name) : [{ path: name, source }]
  }))
  return [{ path: 'Dockerfile', source: `${ROOT}Dockerfile` }, ...entries.flat()]
}
