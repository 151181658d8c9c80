import t from 'tap'
import { hostClaimsOf } from '../../../../src/gateway/rules/hosts.ts'
import { isMatch } from '../../../../src/gateway/rules/match.ts'
import { MAX_RULE_LENGTH, parseRule } from '../../../../src/gateway/rules/parse.ts'
import { RuleError } from '../../../../src/gateway/rules/rule-error.ts'
import { request } from './request.ts'

function errorOf (text: string): RuleError {
  try {
    parseRule(text)
  } catch (error) {
    if (error instanceof RuleError) return error
    throw error
  }
  throw new Error(`${text} was accepted`)
}

await t.test('"!" binds before "&&", and that before "||"', async (t) => {
  const rule = parseRule('Path(`/a`) || Path(`/b`) && !Method(`GET`)')
  t.ok(isMatch(rule, request('a.test/a')))
  t.notOk(isMatch(rule, request('a.test/b')))
  t.ok(isMatch(rule, request('a.test/b', { method: 'POST' })))
  const grouped = parseRule('(Path(`/a`) || Path(`/b`)) && Method(`POST`)')
  t.notOk(isMatch(grouped, request('a.test/a')))
  t.ok(isMatch(grouped, request('a.test/a', { method: 'POST' })))
})

await t.test('a negated group is the opposite of the group', async (t) => {
  const rule = parseRule('!(Path(`/a`) && !(Method(`POST`) || !!Method(`PUT`)))')
  t.notOk(isMatch(rule, request('a.test/a')))
  t.ok(isMatch(rule, request('a.test/a', { method: 'PUT' })))
  t.ok(isMatch(rule, request('a.test/b')))
})

await t.test('values are written as in Go, and as files with one escape too many have them', async (t) => {
  for (const text of [
    'Host(`a.test`)', 'Host("a.test")', String.raw`Host(\"a.test\")`, ' Host ( `a.test` ) ', 'Host(\n  `a.test`,\n)', 'host(`a.test`)', 'HOST(`A.test`)',
    'HostHeader(`a.test`)', 'Host(`b.test`, `a.test`)', 'Host(`b.test`,"a.test")', '((Host(`a.test`)))', 'Host(`a.test.`)'
  ]) t.ok(isMatch(parseRule(text), request('a.test/')), text)
  t.ok(isMatch(parseRule(String.raw`PathRegexp("^/\\d+\"?$")`), request('a.test/12')))
  t.ok(isMatch(parseRule('PathRegexp(`^/\\d+$`)'), request('a.test/12')))
})

await t.test('rules of public compose files are read', async (t) => {
  for (const [text, url] of [
    ['Host(`cloud.example.com`) && (PathPrefix(`/apps/`) || PathPrefix(`/index.php`))', 'cloud.example.com/apps/x'],
    ['Host(`example.com`) || Host(`www.example.com`)', 'www.example.com/'],
    ['Host(`auth.example.com`) || (HostRegexp(`^([a-z]+\\.)*example\\.com$`) && PathPrefix(`/outpost.goauthentik.io/`))', 'a.b.example.com/outpost.goauthentik.io/start'],
    ['HostRegexp(`{subdomain:[a-z0-9-]+}.example.com`)', 'some-1.example.com/'],
    ['HostRegexp(`example.com`, `{sub:[a-z]{2,3}}.example.com`)', 'ab.example.com/'],
    ['hostregexp(`{host:.+}`)', 'whatever.test/'],
    ['HostRegexp(`.+`) && PathPrefix(`/`)', 'whatever.test/x'],
    ['Host(`example.com`) && !PathPrefix(`/api`)', 'example.com/'],
    ['Host(`example.com`) && Path(`/`, `/index.html`)', 'example.com/index.html'],
    ['Host(`example.com`) && PathPrefix(`/{version:v[0-9]+}/users`)', 'example.com/v2/users/1'],
    ['Host(`example.com`) && Query(`token=abc`)', 'example.com/?token=abc']
  ] as const) t.ok(isMatch(parseRule(text), request(url)), text)
  const headers = parseRule('Headers(`X-Env`, `dev`) && HeadersRegexp(`X-Version`, `^v[12]$`)')
  t.ok(isMatch(headers, request('a.test/', { headers: { 'x-env': 'dev', 'x-version': 'v2' } })))
})

await t.test('an error says where, what was expected and what was meant', async (t) => {
  for (const [text, position, message, suggestion] of [
    ['', 0, 'is empty', undefined],
    ['Hosts(`a`)', 0, 'did you mean Host?', 'Host'],
    ['Host(`a`) && PathPrefx(`/`)', 13, 'did you mean PathPrefix?', 'PathPrefix'],
    ['Headerregex(`a`, `b`)', 0, 'did you mean HeaderRegexp?', 'HeaderRegexp'],
    ['Banana(`a`)', 0, 'There are Host, HostRegexp,', undefined],
    ['HostSNI(`a`)', 0, 'for TCP routers', 'Host'],
    ['Host(`a`) & Path(`/`)', 10, 'did you mean &&?', '&&'],
    ['Host(`a`) or Path(`/`)', 10, 'did you mean ||?', '||'],
    ['Host(`a`) Path(`/`)', 10, 'Found "Path" where "&&", "||" or the end', undefined],
    ['Host(`a`) &&', 12, 'ends where a matcher', undefined],
    ['Host(`a`) && )', 13, 'Found ")" where a matcher', undefined],
    ['(Host(`a`)', 10, 'ends where "&&", "||" or ")"', undefined],
    ['Host(`a`))', 9, 'Found ")"', undefined],
    ['Host', 4, 'ends where "(" after Host', undefined],
    ['Host()', 0, 'needs a value, such as Host(`example.com`)', undefined],
    ['Host(`a', 5, 'not closed', undefined],
    ['Host("a', 5, 'not closed', undefined],
    ['Host(', 5, 'ends where a value', undefined],
    ["Host('a')", 5, 'backticks', '`'],
    ['Host(a.test)', 5, 'backticks', '`'],
    ['Host(`a` `b`)', 9, 'where "," or ")"', undefined],
    [String.raw`PathRegexp("\d")`, 12, 'backslash is written twice', undefined],
    ['Host(``)', 5, 'variable', undefined],
    ['Host(`a.test:8080`)', 5, 'more than a host', 'a.test'],
    ['Host(`https://a.test/x`)', 5, 'more than a host', 'a.test'],
    ['Host(`bücher.test`)', 5, 'xn--bcher-kva.test', 'xn--bcher-kva.test'],
    ['Host(`{sub:.+}.test`)', 5, 'HostRegexp', 'HostRegexp'],
    ['Host(`a b`)', 5, 'no host name', undefined],
    ['Host(`*`)', 5, 'no host name', undefined],
    ['Host(`a.*.test`)', 5, 'no host name', undefined],
    [`Host(\`${'a.'.repeat(200)}test\`)`, 5, 'no host name', undefined],
    ['PathPrefix(`api`)', 11, 'does not begin with a slash', '/api'],
    ['Path(`/a?b=c`)', 5, 'Query', '/a'],
    ['Path(`/a`, `b`)', 11, 'slash', '/b'],
    ['PathPrefix(`/{id:[0-9]+`)', 11, 'brace is not closed', undefined],
    ['PathRegexp(`(`)', 11, 'not one of RE2', undefined],
    ['PathRegexp(`a(?=b)`)', 11, 'not one of RE2', undefined],
    ['Method(`G T`)', 7, 'no method', undefined],
    ['Header(`a`)', 7, 'a name and a value', undefined],
    ['Header(`a b`, `c`)', 7, 'no name of a header', undefined],
    ['Query(`a`, `b`, `c`)', 16, 'a name and a value', undefined],
    ['QueryRegexp(`a`, `b`, `c`)', 22, 'a name and an expression', undefined],
    ['ClientIP(`10.0.0.0/33`)', 9, '10.0.0.0/8', undefined],
    ['ClientIP(`10.0.0.0`, `fe80::1/x`)', 21, 'neither', undefined]
  ] as const) {
    const error = errorOf(text)
    t.equal(error.position, position, `position in ${text}`)
    t.ok(error.message.includes(message), `${text}: ${error.message}`)
    t.equal(error.suggestion, suggestion, `suggestion for ${text}`)
    t.match(error.message, /[.?]$/)
  }
})

await t.test('a message holds no more of a hostile rule than a line', async (t) => {
  const { message } = errorOf(`Host(\`${'x\n\u001b[31m'.repeat(100)}\`)`)
  t.notMatch(message, /\p{Cc}/u)
  t.ok(message.length < 200, message)
})

await t.test('length, nesting and the size of expressions have limits', async (t) => {
  t.match(errorOf(`Host(\`${'a'.repeat(MAX_RULE_LENGTH)}\`)`).message, /at most 4096/)
  t.doesNotThrow(() => parseRule(`${'('.repeat(32)}Host(\`a\`)${')'.repeat(32)}`))
  t.match(errorOf(`${'('.repeat(33)}Host(\`a\`)${')'.repeat(33)}`).message, /32 deep/)
  t.match(errorOf(`${'!'.repeat(4000)}Host(\`a\`)`).message, /32 deep/)
  for (const expression of [
    '(a|b|c){0,999}', '(a{40}){40}', 'a{600}b{600}', '(?:a|[[:alpha:]]{30}){90}', '[^]]{999}[^]]{9}', 'a{999,}b', '\\pL'.repeat(60), 'x'.repeat(1100), '(abc\\Q)\\E def){100}'
  ]) t.match(errorOf(`PathRegexp(\`${expression}\`)`).message, /too large/, expression)
  t.match(errorOf(Array(30).fill('HostRegexp(`[a-z]{1,63}`)').join(' || ')).message, /too large/)
  t.match(errorOf(`PathRegexp(\`${'('.repeat(400)}a${')'.repeat(400)}\`) || PathRegexp(\`a{1001}\`)`).message, /too large|not one of RE2/)
  for (const expression of ['^[a-z0-9-]{1,63}\\.example\\.com$', '^(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2}){1}(\\.[0-9]{1,3}){3}$', '^/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$']) {
    t.doesNotThrow(() => parseRule(`PathRegexp(\`${expression}\`)`), expression)
  }
})

await t.test('the hosts that a rule claims are those it names, not those it excludes', async (t) => {
  for (const [text, claims] of [
    ['Host(`A.test`, `b.test`) && Path(`/`)', { exact: ['a.test', 'b.test'], patterns: [], isOpen: false }],
    ['Host(`*.a.test`, `b.test`)', { exact: ['b.test'], patterns: ['*.a.test'], isOpen: false }],
    ['Host(`**.a.test`) || HostRegexp(`^x`)', { exact: [], patterns: ['**.a.test', '^x'], isOpen: false }],
    ['Host(`a.test`) || PathPrefix(`/`)', { exact: ['a.test'], patterns: [], isOpen: true }],
    ['!Host(`a.test`)', { exact: [], patterns: [], isOpen: true }],
    ['!(!Host(`a.test`) || Path(`/x`))', { exact: ['a.test'], patterns: [], isOpen: false }],
    ['(Host(`a.test`) || Method(`GET`)) && (Host(`b.test`) || Method(`PUT`))', { exact: ['a.test', 'b.test'], patterns: [], isOpen: true }]
  ] as const) t.same(hostClaimsOf(parseRule(text)), claims, text)
})
