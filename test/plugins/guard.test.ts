import t from 'tap'
import type { Test } from 'tap'
import { methodsOf, collectRoutes } from '../support/routes.ts'
import { createTestApp } from '../support/app.ts'

const TOKEN = 'a-secret-of-24-characters'
const BEARER = { authorization: `Bearer ${TOKEN}` }

/** The production app with three routes whose handlers must not be reached by the wrong callers. */
async function createGuarded (t: Test, env: Record<string, string> = {}) {
  const { app, routes } = await collectRoutes(() => createTestApp(t, env))
  const calls: string[] = []
  const handler = async (request: { method: string, body: unknown }) => {
    calls.push(request.method)
    return { body: request.body ?? null }
  }
  const config = { scope: 'read' } as const
  app.get('/guarded', { config }, handler)
  app.post('/guarded', { config }, handler)
  app.delete('/guarded', { config }, handler)
  app.get('/open', { config: { public: true } }, handler)
  app.route({ method: ['GET', 'POST', 'OPTIONS'], url: '/application/*', config: { proxied: true, scope: 'read' }, handler })
  return { app, routes, calls }
}

function codeOf (response: { json: () => unknown }) {
  return (response.json() as { code?: string }).code
}

await t.test('a Host that was re-pointed here is refused on every route, known or not', async (t) => {
  const { app, calls } = await createGuarded(t)
  for (const url of ['/guarded', '/open', '/livez', '/application/x', '/nowhere']) {
    const response = await app.inject({ url, headers: { host: 'evil.test:8000' } })
    t.equal(response.statusCode, 403, url)
    t.equal(codeOf(response), 'host_not_allowed')
  }
  t.same(calls, [])
  t.equal((await app.inject({ url: '/guarded', headers: { host: '[::1]:8000' } })).statusCode, 200)
})

await t.test('foreign pages are refused, whatever they send', async (t) => {
  const { app, calls } = await createGuarded(t)
  for (const headers of [
    { origin: 'https://evil.test' }, { origin: 'null' }, { origin: 'http://app1.localhost:8080' }, { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    { origin: 'https://evil.test', connection: 'Upgrade', upgrade: 'websocket' }, { origin: 'null', connection: 'Upgrade', upgrade: 'websocket' }
  ]) {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS'] as const) {
      const response = await app.inject({ method, url: '/guarded', headers })
      t.equal(response.statusCode, 403, `${method} ${JSON.stringify(headers)}`)
      t.equal(codeOf(response), 'origin_not_allowed')
      t.notOk(response.headers['access-control-allow-origin'])
    }
  }
  const visit = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  t.equal((await app.inject({ method: 'POST', url: '/guarded', headers: visit })).statusCode, 403, 'a form that posts')
  t.same(calls, [])
  t.equal((await app.inject({ url: '/guarded', headers: visit })).statusCode, 200, 'a link that is followed')
})

await t.test('programs, loopback pages and configured origins call', async (t) => {
  const { app } = await createGuarded(t, { DOCKAPI_CORS_ORIGINS: 'https://tools.example' })
  t.equal((await app.inject({ method: 'POST', url: '/guarded' })).statusCode, 200)
  for (const origin of ['http://localhost:3000', 'http://127.0.0.1:5173', 'https://tools.example']) {
    const response = await app.inject({ method: 'POST', url: '/guarded', headers: { origin, 'sec-fetch-site': 'cross-site' } })
    t.equal(response.statusCode, 200)
    t.equal(response.headers['access-control-allow-origin'], origin)
    t.equal(response.headers['access-control-allow-credentials'], undefined)
    t.match(response.headers.vary, 'Origin')
  }
})

await t.test('a preflight of an allowed origin is answered before the token is asked for', async (t) => {
  const { app, calls } = await createGuarded(t, { DOCKAPI_TOKEN: TOKEN })
  const response = await app.inject({ method: 'OPTIONS', url: '/guarded', headers: { origin: 'http://localhost:3000', 'access-control-request-method': 'DELETE', 'access-control-request-private-network': 'true' } })
  t.equal(response.statusCode, 204)
  t.equal(response.headers['access-control-allow-origin'], 'http://localhost:3000')
  t.match(response.headers['access-control-allow-methods'], 'DELETE')
  t.match(response.headers['access-control-allow-headers'], 'authorization')
  t.equal(response.headers['access-control-allow-private-network'], undefined)
  t.same(calls, [])
})

await t.test('a container\'s application has its own rules: preflights and every origin reach it, and no header is added', async (t) => {
  const { app, calls } = await createGuarded(t)
  for (const origin of ['null', 'https://evil.test', 'http://localhost:3000']) {
    const response = await app.inject({ method: 'OPTIONS', url: '/application/x', headers: { origin, 'access-control-request-method': 'POST' } })
    t.equal(response.statusCode, 200)
    t.same(Object.keys(response.headers).filter((name) => /^(access-control|content-security|cross-origin|x-|referrer|cache|vary)/.test(name)), [])
  }
  t.equal(calls.length, 3)
})

await t.test('answers of the API carry headers that keep browsers from framing, caching and guessing', async (t) => {
  const { app } = await createGuarded(t)
  for (const url of ['/guarded', '/nowhere', '/livez']) {
    const { headers } = await app.inject({ url })
    t.equal(headers['x-content-type-options'], 'nosniff', url)
    t.equal(headers['cache-control'], 'no-store', url)
    t.equal(headers['x-frame-options'], 'DENY', url)
    t.match(headers['content-security-policy'], "frame-ancestors 'none'", url)
    t.equal(headers['cross-origin-resource-policy'], 'same-origin', url)
    t.ok(headers['referrer-policy'], url)
  }
})

await t.test('JSON is the only body: what a form or a foreign page can send is 415', async (t) => {
  const { app, calls } = await createGuarded(t)
  const payload = Buffer.from('{"image":"x"}')
  for (const type of [
    undefined, 'text/plain', 'text/plain;charset=UTF-8', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/octet-stream', 'application/jsonx',
    'application/json garbage', 'application/json\tgarbage', 'application/json, text/plain', 'text/plain; application/json', 'text/json', '/json', 'application/'
  ]) {
    const response = await app.inject({ method: 'POST', url: '/guarded', payload, headers: type === undefined ? {} : { 'content-type': type } })
    t.equal(response.statusCode, 415, `${type}`)
    t.equal(codeOf(response), 'unsupported_media_type')
  }
  t.same(calls, [])
  for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/json ;x="a;b"']) {
    const response = await app.inject({ method: 'POST', url: '/guarded', payload, headers: { 'content-type': type } })
    t.same(response.json(), { body: { image: 'x' } }, type)
  }
})

await t.test('a write without a body needs no content type, and a wrong one does not matter (PowerShell sends that of forms)', async (t) => {
  const { app } = await createGuarded(t)
  for (const type of ['application/x-www-form-urlencoded', 'application/json', 'text/plain']) {
    for (const method of ['POST', 'DELETE'] as const) {
      const response = await app.inject({ method, url: '/guarded', headers: { 'content-type': type, 'content-length': '0' } })
      t.same(response.json(), { body: null }, `${method} ${type}`)
    }
  }
})

await t.test('once there is a token, only public routes answer without it', async (t) => {
  const { app, calls } = await createGuarded(t, { DOCKAPI_TOKEN: TOKEN })
  const wrong = [{}, { authorization: '' }, { authorization: `Bearer ${TOKEN}x` }, { authorization: `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}` }, { cookie: `token=${TOKEN}` }]
  for (const headers of wrong) {
    for (const url of ['/guarded', '/application/x', '/nowhere']) {
      const response = await app.inject({ url, headers })
      t.equal(response.statusCode, 401, `${url} ${JSON.stringify(headers)}`)
      t.equal(codeOf(response), 'unauthorized')
      t.match(response.headers['www-authenticate'], 'Bearer')
      t.notMatch(response.body, TOKEN)
    }
  }
  t.same(calls, [])
  t.equal((await app.inject('/open')).statusCode, 200)
  t.equal((await app.inject({ url: '/guarded', headers: BEARER })).statusCode, 200)
  t.equal((await app.inject({ url: '/application/x', headers: BEARER })).statusCode, 200)
})

await t.test('a token in the URL is refused with the way out, right or wrong, and not told again', async (t) => {
  for (const env of [{}, { DOCKAPI_TOKEN: TOKEN }] as Array<Record<string, string>>) {
    const { app, calls } = await createGuarded(t, env)
    for (const url of [`/guarded?token=${TOKEN}`, `/guarded?a=1&access_token=${TOKEN}`, '/guarded?%74oken=x', '/nowhere?token=x', `/application/x?any=dockapi_${'x'.repeat(43)}`]) {
      const response = await app.inject({ url, headers: BEARER })
      t.equal(response.statusCode, 400, url)
      t.equal(codeOf(response), 'token_in_url')
      t.match(response.json(), { hint: /POST \/tickets/ })
      t.notMatch(response.body, TOKEN)
    }
    t.same(calls, [])
    t.equal((await app.inject({ url: '/application/x?token=its-own', headers: BEARER })).statusCode, 200, 'an application has parameters of its own')
  }
})

await t.test('P5: a route that says nothing of who may use it stops the start', async (t) => {
  const app = await createTestApp(t)
  app.post('/forgotten', async () => 'x')
  await t.rejects(async () => { await app.ready() }, { message: /POST \/forgotten: config says neither scope nor public/ })
})

await t.test('S21: after 100 wrong tokens an address waits; tokens that nobody can guess still count', async (t) => {
  const { app } = await createGuarded(t, { DOCKAPI_TOKEN: TOKEN })
  const { token } = app.tokens.create({ name: 'ci', scopes: ['read'] })
  const call = (authorization?: string, remoteAddress = '203.0.113.7') => app.inject({ url: '/guarded', remoteAddress, headers: authorization === undefined ? {} : { authorization } })
  for (let count = 0; count < 100; count++) t.equal((await call(`Bearer wrong-${count}`)).statusCode, 401)
  for (const authorization of ['Bearer wrong', `Bearer ${TOKEN}`, `Bearer dockapi_${'x'.repeat(43)}`]) {
    const response = await call(authorization)
    t.equal(response.statusCode, 429, authorization)
    t.equal(codeOf(response), 'too_many_attempts')
    t.ok(Number(response.headers['retry-after']) > 0 && Number(response.headers['retry-after']) <= 60)
  }
  t.equal((await call(`Bearer ${token}`)).statusCode, 200)
  t.equal((await call()).statusCode, 401)
  t.equal((await call(`Bearer ${TOKEN}`, '203.0.113.8')).statusCode, 200, 'another address')
})

await t.test('the token stands in for the Host check; on an open port public routes answer under any name', async (t) => {
  const evil = { host: 'dockapi.internal:8000' }
  const { app } = await createGuarded(t, { DOCKAPI_TOKEN: TOKEN, DOCKAPI_HOST: '0.0.0.0' })
  t.equal((await app.inject({ url: '/guarded', headers: { ...evil, ...BEARER } })).statusCode, 200)
  t.equal((await app.inject({ url: '/guarded', headers: evil })).statusCode, 403)
  t.equal((await app.inject({ url: '/livez', headers: evil })).statusCode, 200)
  const { app: local } = await createGuarded(t, { DOCKAPI_TOKEN: TOKEN })
  t.equal((await local.inject({ url: '/livez', headers: evil })).statusCode, 403)
})

await t.test('P5: without a token no spelling of a protected path gets past the guard', async (t) => {
  const { app, routes, calls } = await createGuarded(t, { DOCKAPI_TOKEN: TOKEN })
  const guarded = [...new Set(['/guarded', ...routes.filter((route) => route.config?.public !== true).map(({ url }) => url)])].filter((url) => url !== '*')
  for (const url of guarded) {
    const path = url.replaceAll(/:\w+/g, 'x').replace('*', 'x')
    const spellings = [
      path, `${path}/`, `/${path}`, `/.${path}`, `${path};x`, `${path}%2f`, `${path}%00`, `${path}?x=1`, `${path}#x`, path.toUpperCase(), `/livez/..${path}`, `/x/%2e%2e${path}`, `/proxy/..${path}`,
      path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`), `http://localhost${path}`, `/docs/..${path}`, `/docs/static/..%2f..${path}`
    ]
    for (const spelling of spellings) {
      for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'] as const) {
        const { statusCode } = await app.inject({ method, url: spelling })
        t.ok([400, 401, 404].includes(statusCode), `${method} ${spelling}: ${statusCode}`)
      }
    }
  }
  t.same(calls, [])
})

await t.test('the public routes are these and no others', async (t) => {
  const { routes } = await collectRoutes(() => createTestApp(t))
  const open = routes.filter((route) => route.config?.public === true).flatMap((route) => methodsOf(route).map((method) => `${method} ${route.url}`))
  const expected = /^(GET|HEAD) \/(livez|healthz|readyz|openapi\.json|(docs|redoc)(\/.*)?)$/
  t.ok(open.includes('GET /livez'))
  t.same(open.filter((route) => !expected.test(route)), [])
})
