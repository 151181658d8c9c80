import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const run = promisify(execFile)

/** npm as it is on this machine; its registry is needed for the dependencies. */
async function npm (cwd: string, ...args: string[]) {
  return await run('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd, shell: process.platform === 'win32', timeout: 150_000 })
}

t.test('the packed package installs elsewhere and starts', { timeout: 180_000 }, async (t) => {
  const folder = t.testdir({ 'package.json': '{}' })
  const { stdout } = await npm(ROOT, 'pack', '--json', '--pack-destination', folder)
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [{ filename: string, files: Array<{ path: string }> }]
  t.notOk(files.some(({ path }) => path.endsWith('.ts') || path.startsWith('test/')), 'nothing but what runs')
  await npm(folder, 'install', join(folder, filename), '--ignore-scripts')

  const child = spawn(process.execPath, [join(folder, 'node_modules/dockapi/dist/src/main.js'), '--port', '0', '--log-level', 'silent', '--data-dir', 'memory'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => { child.kill('SIGKILL') })
  const url = await printedUrl(child.stdout)
  t.equal((await fetch(`${url}/livez`)).status, 200)
  t.equal((await fetch(`${url}/openapi.json`)).status, 200)
  t.equal((await fetch(`${url}/docs/`)).status, 200)
  t.match(await (await fetch(`${url}/redoc/redoc.standalone.js`)).text(), /Redoc/)
  child.kill('SIGTERM')
  t.same(await once(child, 'exit'), [0, null])
})

async function printedUrl (output: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of output) {
    text += String(chunk)
    const url = /dockAPI (http\S+)/.exec(text)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('The server ended before it printed its address.')
}
