import { execFileSync } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { listNpmBase } from '../../scripts/base-images.ts'
import { buildImage, importImage, listFolder } from '../../scripts/images.ts'
import type { Entry } from '../../scripts/images.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { engineFromEnvironment, TEST_LABELS, TEST_RUN } from './engine.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** The registry that npm is set to here; the build inside the engine asks the same. */
const REGISTRY = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim()

export type ProductImage = { image: string, base: string }

/** Builds the `Dockerfile` on a base made from this machine's Node and npm; both images go with the test. */
export async function buildProductImage (engine: Engine): Promise<ProductImage> {
  const [base, image] = [`dockapi-test-npm:${TEST_RUN}`, `dockapi-test-product:${TEST_RUN}`]
  const certificates = process.env.NODE_EXTRA_CA_CERTS === undefined ? [] : ['ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/extra.crt']
  const labels = Object.entries(TEST_LABELS).map(([name, value]) => `LABEL ${name}=${value}`)
  await importImage(engine, base, (await listNpmBase(engine))!, [...certificates, ...labels, `ENV npm_config_registry=${REGISTRY}`])
  const context = await listContext()
  const options = { buildargs: { NODE_IMAGE: base }, labels: { ...TEST_LABELS }, networkmode: 'host' }
  await buildImage(engine, `${image}-dependencies`, context, { ...options, target: 'dependencies' })
  await buildImage(engine, image, context, options)
  return { image, base }
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
