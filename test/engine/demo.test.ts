import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import type { Engine } from '../../src/engine/engine.ts'
import { createTestEngine, TEST_RUN } from '../support/engine.ts'

const run = promisify(execFile)
const DEMO = fileURLToPath(new URL('../../scripts/demo.ts', import.meta.url))
const NAME = `hello-${TEST_RUN}`

await t.test('the demo shows lines that work as printed, and takes away what it made', async (t) => {
  const engine = createTestEngine(t)
  const demo = startDemo([])
  t.after(async () => { await removeByName(engine, `${NAME}-2`) })
  t.after(async () => { demo.child.kill('SIGTERM'); await demo.ended })

  await demo.printed('Ctrl+C')
  const lines = demo.output().split('\n').map((line) => line.trim()).filter((line) => line.startsWith('curl'))
  t.equal(lines.length, 6)
  const answers: string[] = []
  for (const line of lines) answers.push((await run('sh', ['-c', line])).stdout)
  const [list, ran, reached, log, exec, removed] = answers
  // Containers of other tests are in the list too.
  t.match((JSON.parse(list!) as Array<{ name: string }>).find(({ name }) => name === NAME), { status: 'running' })
  t.match(JSON.parse(ran!), { name: `${NAME}-2`, status: 'running' })
  t.match(JSON.parse(reached!), { hostname: String(JSON.parse(ran!).id).slice(0, 12), method: 'GET' })
  t.match(log, /response:200/)
  t.match(JSON.parse(exec!), { exit_code: 0, stdout: /^Linux/ })
  t.match(JSON.parse(removed!), { removed: true })

  demo.child.kill('SIGINT')
  t.strictSame(await demo.ended, [0, null])
  t.match(demo.output(), /container {2}removed\n\s*server {5}stopped/)
  await t.rejects(inspect(engine, NAME))
})

await t.test('--once ends by itself after the check', async (t) => {
  const engine = createTestEngine(t)
  const demo = startDemo(['--once'])
  t.strictSame(await demo.ended, [0, null], demo.output())
  t.match(demo.output(), /proxy {6}GET \S+ answered 200/)
  await t.rejects(inspect(engine, NAME))
})

await t.test('no engine: it says so and what to do, and fails', async (t) => {
  const demo = startDemo(['--once'], { DOCKER_HOST: 'unix:///no/such/docker.sock' })
  t.strictSame(await demo.ended, [1, null])
  t.match(demo.output(), 'No Docker engine answers.')
  t.match(demo.output(), 'DOCKER_HOST')
  t.notMatch(demo.output(), /\n\s+at /, 'no stack trace')
})

await t.test('a flag that does not exist is named', async (t) => {
  const demo = startDemo(['--twice'])
  t.strictSame(await demo.ended, [1, null])
  t.match(demo.output(), /--twice[^]*npm run demo -- \[--once\]/)
})

type Demo = {
  child: ChildProcess
  output: () => string
  /** Resolves when the text was printed, and fails when the demo ends before. */
  printed (text: string): Promise<void>
  ended: Promise<unknown[]>
}

function startDemo (args: string[], env: Record<string, string> = {}): Demo {
  const child = spawn(process.execPath, [DEMO, '--name', NAME, ...args], { env: { ...process.env, DOCKAPI_PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const collect = (chunk: Buffer) => { output += chunk.toString() }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const ended = once(child, 'close')
  return {
    child,
    output: () => output,
    ended,
    async printed (text) {
      while (!output.includes(text)) {
        const isEnded = await Promise.race([once(child.stdout, 'data').then(() => false), ended.then(() => true)])
        if (isEnded && !output.includes(text)) throw new Error(`The demo ended before it printed "${text}":\n${output}`)
      }
    }
  }
}

async function inspect (engine: Engine, name: string): Promise<unknown> {
  return await engine.call('inspect', (docker) => docker.getContainer(name).inspect())
}

async function removeByName (engine: Engine, name: string): Promise<void> {
  await engine.call('remove', (docker) => docker.getContainer(name).remove({ force: true })).catch(() => { /* It is gone, as it should be. */ })
}
