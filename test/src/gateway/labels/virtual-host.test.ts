import { RE2JS } from 're2js'
import t from 'tap'
import { readDeclarations } from '../../../../src/gateway/labels/read.ts'

const read = (...environment: string[]) => readDeclarations({ name: 'box', labels: {}, environment })

await t.test('hosts become rules', async (t) => {
  const rows: ReadonlyArray<readonly [string, ReadonlyArray<string | undefined>, number]> = [
    ['a.test', ['Host(`a.test`)'], 0],
    ['A.test, b.test,,a.test', ['Host(`a.test`)', 'Host(`b.test`)'], 0],
    ['*.a.test', ['Host(`*.a.test`)'], 0],
    ['.a.test', ['(Host(`a.test`) || Host(`*.a.test`))'], 0],
    ['a.*', ['HostRegexp(`^a\\..+$`)'], 0],
    ['~^a\\d+\\.test$', ['HostRegexp(`^a\\d+\\.test$`)'], 0],
    ['~(', [], 1],
    ['~`', [], 1],
    ['a test', [], 1],
    ['a`) || Path(`/x', [], 1],
    ['*', [], 1],
    ['a.test:80', [], 1],
    ['good.test,-bad-', ['Host(`good.test`)'], 1],
    ['localhost', ['Host(`localhost`)'], 0]
  ]
  for (const [value, rules, problems] of rows) {
    const declarations = read(`VIRTUAL_HOST=${value}`)
    t.same(declarations.routes.map(({ rule }) => rule), rules, value)
    t.equal(declarations.problems.length, problems, value)
  }
})

await t.test('every host and path is a pool of its own, whose members are all who name it', async (t) => {
  const one = read('VIRTUAL_HOST=a.test,b.test', 'VIRTUAL_PORT=80')
  const other = readDeclarations({ name: 'other', labels: {}, environment: ['VIRTUAL_HOST=b.test', 'VIRTUAL_PORT=81'] })
  t.same(one.services, [{ name: 'a.test', port: 80, settings: {} }, { name: 'b.test', port: 80, settings: {} }])
  t.same(other.services, [{ name: 'b.test', port: 81, settings: {} }])
  t.equal(read('VIRTUAL_HOST=b.test', 'VIRTUAL_PATH=/x').routes[0]?.service, 'b.test/x')
})

await t.test('paths become matchers', async (t) => {
  const rows: ReadonlyArray<readonly [string, string | undefined]> = [
    ['/', 'Host(`a`)'],
    ['/api', 'Host(`a`) && PathPrefix(`/api`)'],
    ['= /exact', 'Host(`a`) && Path(`/exact`)'],
    ['^~ /first', 'Host(`a`) && PathPrefix(`/first`)'],
    ['~^/(one|two)/', 'Host(`a`) && PathRegexp(`^/(one|two)/`)'],
    ['~* \\.php$', 'Host(`a`) && PathRegexp(`(?i)\\.php$`)'],
    ['api', undefined],
    ['/`', undefined]
  ]
  for (const [path, rule] of rows) {
    const { routes, problems } = read('VIRTUAL_HOST=a', `VIRTUAL_PATH=${path}`)
    t.same(routes.map(({ rule }) => rule), rule === undefined ? [] : [rule], path)
    t.equal(problems.length, rule === undefined ? 1 : 0)
  }
})

await t.test('VIRTUAL_DEST replaces the beginning of the path as nginx does', async (t) => {
  const rows: ReadonlyArray<readonly [path: string, dest: string, from: string, to: string]> = [
    ['/app/', '/base/', '/app/x', '/base/x'],
    ['/app', '/base', '/app/x', '/base/x'],
    ['/a.b', '/c', '/a.b/x', '/c/x']
  ]
  for (const [path, dest, from, to] of rows) {
    const [declared] = read('VIRTUAL_HOST=a', `VIRTUAL_PATH=${path}`, `VIRTUAL_DEST=${dest}`).middlewares
    const replace = declared?.middleware?.replace_path_regex
    t.ok(replace, dest)
    if (replace !== undefined) t.equal(RE2JS.compile(replace.regex).matcher(from).replaceFirst(replace.replacement), to)
  }
  t.same(read('VIRTUAL_HOST=a', 'VIRTUAL_PATH=/app/', 'VIRTUAL_DEST=/').middlewares, [{ name: 'virtual_dest@own', middleware: { strip_prefix: { prefixes: ['/app'] } } }])
  t.same(read('VIRTUAL_HOST=a', 'VIRTUAL_PATH=/app/', 'VIRTUAL_DEST=').middlewares, [])
  t.same(read('VIRTUAL_HOST=a', 'VIRTUAL_DEST=/').middlewares, [])
  t.match(read('VIRTUAL_HOST=a', 'VIRTUAL_PATH=~^/x', 'VIRTUAL_DEST=/'), { middlewares: [], problems: [{ label: 'VIRTUAL_DEST' }] })
  t.match(read('VIRTUAL_HOST=a', 'VIRTUAL_PATH=/x', 'VIRTUAL_DEST=/$1'), { middlewares: [], problems: [{ label: 'VIRTUAL_DEST' }] })
})

await t.test('what nginx-proxy has and dockAPI has not is told', async (t) => {
  t.match(read('VIRTUAL_HOST=a', 'VIRTUAL_PROTO=fastcgi'), { routes: [{}], problems: [{ label: 'VIRTUAL_PROTO', message: /write http or https/ }] })
  t.match(read('VIRTUAL_HOST=a', 'VIRTUAL_PORT=0'), { main: {}, problems: [{ label: 'VIRTUAL_PORT' }] })
  t.match(read('VIRTUAL_HOST=a', 'NETWORK_ACCESS=internal').problems, [{ label: 'NETWORK_ACCESS' }])
  t.match(read('VIRTUAL_HOST_MULTIPORTS=a: {}').problems, [{ label: 'VIRTUAL_HOST_MULTIPORTS', message: /dockapi\.routes\.<name>\.rule/ }])
})

await t.test('without VIRTUAL_HOST the other variables are somebody else\'s', async (t) => {
  t.match(read('VIRTUAL_PORT=x', 'VIRTUAL_PATH=y', 'NETWORK_ACCESS=internal', 'VIRTUAL_HOST=', 'odd', '=', ''), { routes: [], services: [], problems: [], main: {} })
})
