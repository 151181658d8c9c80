import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { hash } from 'bcryptjs'
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

  const dist = join(folder, 'node_modules/dockapi/dist')
  await t.test('it has what the server loads beside itself, and tells what it contains', async (t) => {
    const thread = new Worker(join(dist, 'password-thread.js'))
    t.after(async () => { await thread.terminate() })
    thread.postMessage({ id: 1, password: 'right', hash: await hash('right', 4) })
    t.match(await once(thread, 'message'), [{ id: 1, isRight: true }])

    const { components } = JSON.parse(await readFile(join(dist, 'bundled.cdx.json'), 'utf8')) as { components: Array<{ name: string, version: string }> }
    const licences = await readFile(join(dist, 'THIRD-PARTY-LICENSES.txt'), 'utf8')
    t.ok(components.some(({ name }) => name === 'dockerode') && components.some(({ name }) => name === 'fastify'))
    t.notOk(components.some(({ name }) => ['ssh2', 'protobufjs', '@grpc/grpc-js'].includes(name)), 'nothing of the transports that dockAPI replaces')
    for (const { name, version } of components) t.match(licences, `\n${name} ${version} (`)
  })

  await t.test('its command answers', async (t) => {
    const { stdout: help } = await run(join(folder, 'node_modules/.bin/dockapi'), ['--help'], { shell: process.platform === 'win32' })
    t.match(help, 'dockapi token create')
  })

  const child = spawn(process.execPath, [join(dist, 'main.js'), '--port', '0', '--log-level', 'silent', '--data-dir', 'memory'], { stdio: ['ignore', 'pipe', 'inherit'] })
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
