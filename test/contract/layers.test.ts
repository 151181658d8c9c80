import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
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

const ROOT = new URL('../..', import.meta.url).pathname
const eslint = new ESLint({ cwd: ROOT, overrideConfig: { languageOptions: { parserOptions: { projectService: false } } }, ruleFilter: ({ ruleId }) => ruleId === '@typescript-eslint/no-restricted-imports' })

await t.test('no layer imports what is above it', { timeout: 60_000 }, async (t) => {
  for (const [file, imported] of FORBIDDEN) {
    const [result] = await eslint.lintText(`import '${imported}'\n`, { filePath: file })
    t.same(result?.messages.map(({ ruleId }) => ruleId), ['@typescript-eslint/no-restricted-imports'], `${file} may not import ${imported}`)
  }
})

await t.test('S20: no program is started but ssh, and never by a shell', async (t) => {
  const starts: string[] = []
  for (const folder of ['src', 'plugins', 'routes', 'schemas']) {
    for (const name of await readdir(join(ROOT, folder), { recursive: true })) {
      if (name.endsWith('.ts') && /child_process|process\.binding|\bcluster\b/.test(await readFile(join(ROOT, folder, name), 'utf8'))) starts.push(join(folder, name))
    }
  }
  t.same(starts, ['src/engine/ssh.ts'])
  const source = await readFile(join(ROOT, 'src/engine/ssh.ts'), 'utf8')
  t.match(source, /^import \{ spawn \} from 'node:child_process'$/m)
  t.notMatch(source, /\bshell:/)
})

await t.test('the composition and the process may import every layer', { timeout: 60_000 }, async (t) => {
  for (const file of ['src/app.ts', 'src/main.ts', 'src/serve.ts']) {
    const [result] = await eslint.lintText("import 'fastify'\nimport '../plugins/guard.ts'\nimport '../routes/docs.ts'\n", { filePath: file })
    t.same(result?.messages, [], file)
  }
})
