import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)
const require = createRequire(import.meta.url)

const USE = `import type { components, operations, paths } from './api.ts'

type Run = operations['runContainer']
export const body: Run['requestBody']['content']['application/json'] = { image: 'nginx:latest', container_port: 80, wait_ready: true, health_path: '/' }

export function portOf (container: components['schemas']['ContainerInfo']): number | null {
  return container.host_port
}

export function hintOf (problem: paths['/containers/{id}']['get']['responses'][404]['content']['application/problem+json']): string | undefined {
  return problem.hint
}

// @ts-expect-error the image is required
export const empty: Run['requestBody']['content']['application/json'] = {}
`

const TSCONFIG = JSON.stringify({
  compilerOptions: { noEmit: true, strict: true, module: 'nodenext', target: 'es2024', types: [], allowImportingTsExtensions: true },
  include: ['*.ts']
})

await t.test('a client that is generated from the document compiles against it', { timeout: 120_000 }, async (t) => {
  const folder = t.testdir({ 'use.ts': USE, 'tsconfig.json': TSCONFIG })
  const { default: generate, astToString } = await import('openapi-typescript')
  // This generator takes a field with a default for one that is always there, which holds for answers only; its option says so.
  const types = await generate(new URL('../../openapi/openapi.json', import.meta.url), { defaultNonNullable: false })
  await writeFile(join(folder, 'api.ts'), astToString(types))
  const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
  const complaints = await run(process.execPath, [compiler, '-p', folder]).then(({ stdout }) => stdout, (error: { stdout: string }) => error.stdout)
  t.equal(complaints, '')
})
