import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { runCommandLine } from '../../../src/cli/command-line.ts'
import { renderColumns } from '../../../src/cli/columns.ts'
import { SETTINGS } from '../../../src/config/schema.ts'
import { createAuditTable } from '../../../src/store/audit.ts'
import { openStore } from '../../../src/store/store.ts'
import { SCOPES } from '../../../schemas/scopes.ts'
import type { TokenCreated, TokenInfo } from '../../../schemas/tokens.ts'
import { createTestApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url))
const run = promisify(execFile)

function shell (env: Record<string, string>) {
  return (...argv: string[]) => {
    const printed: string[] = []
    const complaints: string[] = []
    const code = runCommandLine(argv, { env, print: (text) => printed.push(text), complain: (text) => complaints.push(text) })
    return { code, out: printed.join('\n'), err: complaints.join('\n') }
  }
}

t.test('create prints the secret alone where a program reads, list and revoke tell the rest', async (t) => {
  const dockapi = shell({ DOCKAPI_DATA_DIR: join(t.testdir({}), 'deep') })
  t.match(dockapi('token', 'list'), { code: 0, out: 'There is no token.' })
  const created = dockapi('token', 'create', 'ci', '--scope', 'read,logs', '--scope', 'run', '--label', 'team=a=b', '--image', 'nginx:*', '--max-containers', '3', '--memory', '64m', '--cpus', '0.5', '--lifetime', '1h', '--expires', '30d')
  t.equal(created.code, 0)
  t.match(created.out, /^dockapi_[A-Za-z0-9_-]{43}$/)
  t.notMatch(created.err, created.out)
  const [info] = JSON.parse(dockapi('token', 'list', '--json').out) as TokenInfo[]
  t.match(info, { name: 'ci', scopes: ['read', 'logs', 'run'], labels: { team: 'a=b' }, images: ['nginx:*'], limits: { containers: 3, memory: '64m', cpus: 0.5, lifetime: '1h' } })
  t.match(dockapi('token', 'list').out, /^NAME +SCOPES.*\nci +read,logs,run +team=a=b, nginx:\*, containers 3/)
  t.match(dockapi('token', 'create', 'ci', '--scope', 'read'), { code: 1, err: /There is a token "ci" already/ })
  t.match(dockapi('token', 'revoke', 'ci'), { code: 0, out: /revoked/ })
  t.match(dockapi('token', 'revoke', 'ci'), { code: 1, err: /There is no token "ci"/ })
  t.match(JSON.parse(dockapi('token', 'create', 'ci', '--scope', 'exec', '--exec', 'pg_dump', '--json').out) as TokenCreated, { name: 'ci', commands: ['pg_dump'], token: /^dockapi_/ })
})

t.test('what the command changes is in the audit of the data folder, and what it fails to change is not', async (t) => {
  const dataDir = t.testdir({})
  const dockapi = shell({ DOCKAPI_DATA_DIR: dataDir })
  dockapi('token', 'create', 'ci', '--scope', 'read')
  dockapi('token', 'create', 'ci', '--scope', 'read')
  dockapi('token', 'list')
  dockapi('token', 'revoke', 'ci')
  const store = openStore(dataDir)
  const entries = createAuditTable(store).list({}, 10)
  store.close()
  t.match(entries, [{ operation: 'revokeToken', principal: 'command-line', subject: 'ci', result: 'ok' }, { operation: 'createToken', principal: 'command-line', subject: 'ci', result: 'ok' }])
  t.equal(entries.length, 2)
  t.notMatch(JSON.stringify(entries), /dockapi_/)

  const off = t.testdir({ off: {} })
  shell({ DOCKAPI_DATA_DIR: join(off, 'off'), DOCKAPI_AUDIT: '0' })('token', 'create', 'ci', '--scope', 'read')
  const quiet = openStore(join(off, 'off'))
  t.same(createAuditTable(quiet).list({}, 10), [])
  quiet.close()
})

t.test('what is not written rightly is told with what it may be, and nothing is made', async (t) => {
  const dockapi = shell({ DOCKAPI_DATA_DIR: t.testdir({}) })
  for (const [argv, complaint] of [
    ['', /What is to be done/], ['nonsense', /"nonsense" is no command/], ['create', /NAME is missing/], ['create x', /--scope is missing: read, logs/], ['create x y --scope read', /"y" is too much/],
    ['create x --scope reed', /--scope is "reed".*read, logs/], ['create -x --scope read', /-x/], ['create a/b --scope read', /NAME is "a\/b"/], ['create x --scope read --label team', /--label is "team": write name=value/],
    ['create x --scope read --label dockapi.managed=true', /--label/], ['create x --scope read --expires 1y', /--expires is "1y".*30d/], ['create x --scope read --max-containers many', /--max-containers/],
    ['create x --scope read --memory lots', /--memory is "lots"/], ['create x --scope admin --image nginx', /cannot narrow an admin token/], ['create x --scope read --colour red', /--colour/], ['revoke', /NAME is missing/]
  ] as Array<[string, RegExp]>) {
    const { code, err, out } = dockapi('token', ...argv.split(' ').filter((word) => word !== ''))
    t.equal(code, 1, argv)
    t.match(err, complaint, argv)
    t.equal(out, '')
  }
  t.match(dockapi('token', 'list').out, 'There is no token.')
  t.match(shell({ DOCKAPI_DATA_DIR: 'memory' })('token', 'list'), { code: 1, err: /DOCKAPI_DATA_DIR is "memory"/ })
})

t.test('help lists every command, flag and scope, with examples; anything else serves', async (t) => {
  const dockapi = shell({})
  for (const argv of [['--help'], ['-h'], ['help'], ['--port', '1', '--help']]) {
    const { code, out } = dockapi(...argv)
    t.equal(code, 0)
    for (const word of [...SETTINGS.map(({ flag }) => flag), 'token create', 'token list', 'token revoke', 'Examples']) t.match(out, word)
  }
  const { code, out } = dockapi('token', '--help')
  t.equal(code, 0)
  for (const word of [...SCOPES, '--expires', '--lifetime', 'Examples']) t.match(out, word)
  for (const argv of [[], ['--port', '0']]) t.equal(dockapi(...argv).code, undefined)
})

t.test('the command works as a process, on the data folder of a server that runs, which sees it at once', async (t) => {
  const dataDir = t.testdir({})
  const app = await createTestApp(t, { DOCKAPI_DATA_DIR: dataDir })
  t.equal((await app.inject('/tokens')).statusCode, 200, 'open until there is a token')
  const { stdout } = await run(process.execPath, [MAIN, 'token', 'create', 'boss', '--scope', 'admin', '--data-dir', dataDir])
  const headers = { authorization: `Bearer ${stdout.trim()}` }
  t.match((await app.inject({ url: '/tokens', headers })).json(), [{ name: 'boss', scopes: ['admin'] }])
  await until(async () => (await app.inject('/tokens')).statusCode === 401)
  await t.rejects(run(process.execPath, [MAIN, 'token', 'create', 'boss', '--scope', 'admin', '--data-dir', dataDir]), { code: 1 })
})

t.test('S6: a server that others can reach does not start without a token, and says what to do', async (t) => {
  const dataDir = t.testdir({})
  const serve = run(process.execPath, [MAIN, '--host', '0.0.0.0', '--port', '0', '--data-dir', dataDir])
  await t.rejects(serve, { code: 1, stderr: /dockapi token create NAME --scope admin.*DOCKAPI_TOKEN/ })
})

t.test('columns show control characters instead of sending them', async (t) => {
  t.equal(renderColumns([['A', 'B'], ['x\u001b[2J\u202e', 'y']]), 'A                    B\nx\\u001b[2J\\u202e  y'.replace('A                    B', `A${' '.repeat(17)}B`))
})
