import { ESLint } from 'eslint'
import t from 'tap'

/** An import that each layer must refuse, by the file that would hold it. */
const FORBIDDEN: Array<[file: string, imported: string]> = [
  ['src/config/load.ts', 'fastify'],
  ['src/containers/run.ts', '@fastify/static'],
  ['src/containers/run.ts', '../../plugins/guard.ts'],
  ['src/containers/run.ts', '../../routes/docs.ts'],
  ['src/containers/run.ts', 'dockerode'],
  ['src/guard/guard.ts', 'undici'],
  ['src/engine/engine.ts', 'fastify'],
  ['src/engine/engine.ts', 'undici'],
  ['src/forward/upstream.ts', 'fastify'],
  ['src/forward/upstream.ts', 'dockerode'],
  ['schemas/run.ts', 'fastify'],
  ['schemas/run.ts', '../src/errors.ts'],
  ['plugins/guard.ts', '../routes/docs.ts'],
  ['plugins/guard.ts', 'dockerode'],
  ['routes/containers.ts', 'undici'],
  ['routes/containers.ts', 'dockerode']
]

const eslint = new ESLint({ cwd: new URL('../..', import.meta.url).pathname, overrideConfig: { languageOptions: { parserOptions: { projectService: false } } }, ruleFilter: ({ ruleId }) => ruleId === '@typescript-eslint/no-restricted-imports' })

await t.test('no layer imports what is above it', { timeout: 60_000 }, async (t) => {
  for (const [file, imported] of FORBIDDEN) {
    const [result] = await eslint.lintText(`import '${imported}'\n`, { filePath: file })
    t.same(result?.messages.map(({ ruleId }) => ruleId), ['@typescript-eslint/no-restricted-imports'], `${file} may not import ${imported}`)
  }
})

await t.test('the composition and the process may import every layer', { timeout: 60_000 }, async (t) => {
  for (const file of ['src/app.ts', 'src/main.ts']) {
    const [result] = await eslint.lintText("import 'fastify'\nimport '../plugins/guard.ts'\nimport '../routes/docs.ts'\n", { filePath: file })
    t.same(result?.messages, [], file)
  }
})
