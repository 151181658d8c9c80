import t from 'tap'
import { failuresOf, isMatch, viewOf } from '../../../../src/gateway/rules/match.ts'
import { parseRule } from '../../../../src/gateway/rules/parse.ts'
import { matchedPath } from '../../../../src/gateway/rules/paths.ts'
import { hostRule } from '../../../../src/gateway/rules/rule.ts'
import type { RoutedRequest } from '../../../../src/gateway/rules/rule.ts'
import { request } from './request.ts'

type Case = [rule: string, url: string, isWanted: boolean, given?: Partial<RoutedRequest>]

const CASES: Record<string, Case[]> = {
  'Host is one host, whatever its case': [
    ['Host(`A.Test`)', 'a.test/', true],
    ['Host(`a.test`)', 'b.a.test/', false],
    ['Host(`a.test`)', '', false],
    ['Host(`127.0.0.1`)', '127.0.0.1/', true],
    ['Host(`[::1]`)', '::1/', true],
    ['Host(`my_app.localhost`)', 'my_app.localhost/', true]
  ],
  'a wildcard is one label, two stars are one or more, and neither is the domain itself': [
    ['Host(`*.a.test`)', 'x.a.test/', true],
    ['Host(`*.A.test`)', 'y.x.a.test/', false],
    ['Host(`*.a.test`)', 'a.test/', false],
    ['Host(`*.a.test`)', '.a.test/', false],
    ['Host(`*.a.test`)', 'xa.test/', false],
    ['Host(`**.a.test`)', 'y.x.a.test/', true],
    ['Host(`**.a.test`)', 'a.test/', false],
    ['Host(`**.a.test`)', 'a.test.evil/', false]
  ],
  'HostRegexp finds its expression anywhere, v2 templates are whole hosts': [
    ['HostRegexp(`^[a-z]+\\.a\\.test$`)', 'x.a.test/', true],
    ['HostRegexp(`^[A-Z]+\\.a\\.test$`)', 'x.a.test/', true],
    ['HostRegexp(`^[a-z]+\\.a\\.test$`)', '1.a.test/', false],
    ['HostRegexp(`a.test`)', 'x.a.test.y/', true],
    ['HostRegexp(`^x{2,3}$`)', 'xxx/', true],
    ['HostRegexp(`{sub}.a.test`)', 'x.a.test/', true],
    ['HostRegexp(`{sub}.a.test`)', 'y.x.a.test/', false],
    ['HostRegexp(`{sub}.a.test`)', 'x.aatest/', false],
    ['HostRegexp(`{n:[0-9]{2}}.a.test`)', '12.a.test/', true],
    ['HostRegexp(`{n:x|y}.a.test`)', 'y.a.test/', true],
    ['HostRegexp(`{n:x|y}.a.test`)', 'x/', false]
  ],
  'Path is the whole path and minds its case': [
    ['Path(`/a`)', 'h/a', true],
    ['Path(`/a`)', 'h/a?x=1', true],
    ['Path(`/a`)', 'h/a/', false],
    ['Path(`/a`)', 'h/A', false],
    ['Path(`/a`, `/b`)', 'h/b', true],
    ['Path(`/{id:[0-9]+}`)', 'h/12', true],
    ['Path(`/{id}`)', 'h/12/x', false]
  ],
  'PathPrefix is a beginning of the text, as in Traefik': [
    ['PathPrefix(`/api`)', 'h/api', true],
    ['PathPrefix(`/api`)', 'h/api/x', true],
    ['PathPrefix(`/api`)', 'h/apifoo', true],
    ['PathPrefix(`/api/`)', 'h/api', false],
    ['PathPrefix(`/api`)', 'h/API', false],
    ['PathPrefix(`/`)', 'h*', false],
    ['PathPrefix(`/{id:[0-9]+}/x`)', 'h/12/xyz', true]
  ],
  'a path is compared with what is encoded for no reason decoded': [
    ['Path(`/foo bar`)', 'h/foo%20bar', true],
    ['Path(`/foo%20bar`)', 'h/foo%20bar', true],
    ['PathPrefix(`/admin`)', 'h/%61dmin', true],
    ['Path(`/é`)', 'h/%C3%A9', true],
    ['Path(`/a/b`)', 'h/a%2Fb', false],
    ['Path(`/a%2Fb`)', 'h/a%2fb', true],
    ['Path(`/a%41`)', 'h/a%2541', false],
    ['PathPrefix(`/admin`)', 'h//admin', true],
    ['PathPrefix(`/a/b`)', 'h/a///b', true],
    ['PathPrefix(`/a//b`)', 'h/a/b', true],
    ['PathPrefix(`/%ff`)', 'h/%ff', true],
    ['PathPrefix(`/%`)', 'h/%zz', true]
  ],
  'PathRegexp finds its expression anywhere': [
    ['PathRegexp(`^/v[0-9]+/`)', 'h/v12/x', true],
    ['PathRegexp(`\\.(png|jpg)$`)', 'h/x/y.jpg', true],
    ['PathRegexp(`\\.(png|jpg)$`)', 'h/x/y.JPG', false],
    ['PathRegexp(`(?i)\\.(png|jpg)$`)', 'h/x/y.JPG', true]
  ],
  'Method is one of several': [
    ['Method(`get`)', 'h/', true],
    ['Method(`PUT`, `POST`)', 'h/', true, { method: 'POST' }],
    ['Method(`PUT`, `POST`)', 'h/', false],
    ['Method(`M-SEARCH`)', 'h/', true, { method: 'M-SEARCH' }]
  ],
  'Header has the value, or any when none is asked for': [
    ['Header(`X-A`, `1`)', 'h/', true, { headers: { 'x-a': '1' } }],
    ['Header(`X-A`, `1`)', 'h/', false, { headers: { 'x-a': '12' } }],
    ['Header(`X-A`, `1`)', 'h/', false],
    ['Header(`X-A`, ``)', 'h/', true, { headers: { 'x-a': 'whatever' } }],
    ['Header(`Set-Cookie`, `b`)', 'h/', true, { headers: { 'set-cookie': ['a', 'b'] } }],
    ['Header(`constructor`, ``)', 'h/', false],
    ['Headers(`X-A`, `1`, `X-B`, `2`)', 'h/', true, { headers: { 'x-a': '1', 'x-b': '2' } }],
    ['Headers(`X-A`, `1`, `X-B`, `2`)', 'h/', false, { headers: { 'x-a': '1' } }],
    ['HeaderRegexp(`X-A`, `^v[0-9]+$`)', 'h/', true, { headers: { 'x-a': 'v12' } }],
    ['HeaderRegexp(`X-A`, `.*`)', 'h/', false]
  ],
  'Query has the value; without one it is empty': [
    ['Query(`a`, `1`)', 'h/?b=2&a=1', true],
    ['Query(`a`, `1`)', 'h/?a=2&a=1', true],
    ['Query(`a`, `1`)', 'h/?a=12', false],
    ['Query(`a b`, `c+d`)', 'h/?a%20b=c%2Bd', true],
    ['Query(`a`)', 'h/?a', true],
    ['Query(`a`)', 'h/?a=', true],
    ['Query(`a`)', 'h/?a=1', false],
    ['Query(`a`)', 'h/', false],
    ['Query(`a=1`)', 'h/?a=1', true],
    ['Query(`a=1`, `b=2`)', 'h/?a=1', false],
    ['Query(`a=1`, `b=2`)', 'h/?b=2&a=1', true],
    ['Query(`a=`)', 'h/?a=1', true],
    ['QueryRegexp(`a`, `^[0-9]+$`)', 'h/?a=x&a=12', true],
    ['QueryRegexp(`a`, `^[0-9]+$`)', 'h/?b=12', false],
    ['QueryRegexp(`a`)', 'h/?a', true]
  ],
  'ClientIP is an address or a range': [
    ['ClientIP(`127.0.0.1`)', 'h/', true],
    ['ClientIP(`127.0.0.2`)', 'h/', false],
    ['ClientIP(`10.0.0.0/8`, `127.0.0.0/8`)', 'h/', true],
    ['ClientIP(`10.0.0.0/8`)', 'h/', true, { clientAddress: '::ffff:10.1.2.3' }],
    ['ClientIP(`10.0.0.0/8`)', 'h/', false, { clientAddress: '::ffff:11.1.2.3' }],
    ['ClientIP(`fe80::/10`)', 'h/', true, { clientAddress: 'fe80::1%eth0' }],
    ['ClientIP(`::1`)', 'h/', true, { clientAddress: '::1' }],
    ['ClientIP(`0.0.0.0/0`)', 'h/', false, { clientAddress: '::1' }],
    ['ClientIP(`0.0.0.0/0`)', 'h/', false, { clientAddress: '' }]
  ]
}

for (const [name, cases] of Object.entries(CASES)) {
  await t.test(name, async (t) => {
    for (const [rule, url, isWanted, given] of cases) {
      t.equal(isMatch(parseRule(rule), request(url, given)), isWanted, `${rule} ${url}`)
      t.equal(isMatch(parseRule(`!${rule}`), request(url, given)), !isWanted, `!${rule} ${url}`)
    }
  })
}

await t.test('the rule of a default route needs no text', async (t) => {
  t.ok(isMatch(hostRule('a.test', 'b.test'), request('b.test/')))
  t.notOk(isMatch(hostRule('a.test'), request('b.test/')))
})

await t.test('what does not match is named', async (t) => {
  const view = viewOf(request('a.test/x'))
  t.same(failuresOf(parseRule('Host(`a.test`) && PathPrefix(`/api`) && Method(`PUT`)'), view), ['PathPrefix(`/api`)'])
  t.same(failuresOf(parseRule('Path( `/y` ) || (Host(`a.test`) && !PathPrefix("/x"))'), view), ['Path( `/y` )', '!PathPrefix("/x")'])
  t.same(failuresOf(parseRule('Path(`/x`)'), view), [])
})

await t.test('decoding a path twice changes nothing more than once', async (t) => {
  for (const path of ['/%2561', '/a%2f%2Fb', '/%C3%A9%2', '//', '/%ff%41']) t.equal(matchedPath(matchedPath(path)), matchedPath(path), path)
})
