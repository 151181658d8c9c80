import t from 'tap'
import { documentedCalls } from '../support/documented-calls.ts'
import type { Call } from '../support/documented-calls.ts'
import { collectRoutes } from '../support/routes.ts'
import { createTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, startTestContainer } from '../support/engine.ts'
import { SCOPES } from '../../schemas/scopes.ts'

const TENANT = { tenant: 'blue' }
const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { app, routes } = await collectRoutes(() => createTestApp(t, { DOCKAPI_TOKEN: 'a-secret-of-24-characters' }))
await app.ready()

const everything = app.tokens.create({ name: 'everything', scopes: SCOPES.filter((scope) => scope !== 'admin'), labels: TENANT })
const foreign = {
  'another tenant\'s': await startTestContainer(engine, { image, command: ['sleep', '600'], labels: { 'dockapi.managed': 'true', tenant: 'red' } }),
  'an unmanaged one with the tenant\'s label': await startTestContainer(engine, { image, command: ['sleep', '600'], labels: TENANT })
}
const names = await Promise.all(Object.values(foreign).map(async ({ id }) => await engine.call('test.name', async (docker, abortSignal) => (await docker.getContainer(id).inspect({ abortSignal })).Name.slice(1))))

const calls = documentedCalls(app.swagger(), routes)

async function send ({ method, path, query, payload }: Call, id: string, token?: string) {
  const url = `${path.replace(/:id/, id)}?${query}`
  return await app.inject({ method, url, remoteAddress: nextAddress(), headers: token === undefined ? {} : { authorization: `Bearer ${token}` }, ...(payload === undefined || method === 'GET' ? {} : { payload }) })
}

/** Wrong tokens are counted by address; here each call comes from another. */
let count = 0
function nextAddress (): string {
  count++
  return `10.0.${count >> 8}.${count & 255}`
}

function codeOf (response: { body: string, headers: Record<string, unknown> }): string | undefined {
  return String(response.headers['content-type']).includes('json') && response.body !== '' ? (JSON.parse(response.body) as { code?: string }).code : undefined
}

t.test('there is something to try', async (t) => {
  for (const name of ['POST /containers/run', 'GET /containers/:id/logs', 'POST /containers/:id/exec', 'DELETE /containers/:id', 'GET /proxy/:id/*', 'POST /tokens']) t.ok(calls.some((call) => call.name === name), name)
})

t.test('S21: without a token, and with a wrong one, every route is 401 and says the same', async (t) => {
  const wrong = [undefined, `dockapi_${'x'.repeat(43)}`, `${everything.token.slice(0, -4)}AAAA`]
  for (const call of calls) {
    const answers = await Promise.all(wrong.map((token) => send(call, 'x', token)))
    for (const answer of answers) t.equal(answer.statusCode, 401, call.name)
    if (call.method as string === 'HEAD') continue
    const [, unknown, half] = answers.map(({ body }) => ({ ...JSON.parse(body) as object, request_id: '' }))
    t.same(unknown, half, 'an unknown token and half a right one look alike')
  }
})

t.test('S21: a token without the scope is 403 and told which one is needed; with it, it is let through', async (t) => {
  // Admin is everything, so the others are tried.
  const tokens = new Map(SCOPES.map((scope) => [scope as string, app.tokens.create({ name: `only-${scope}`, scopes: [scope] }).token]))
  for (const call of calls) {
    if (call.scope === 'any') continue
    for (const [scope, token] of tokens) {
      if (scope === call.scope || scope === 'admin') continue
      const answer = await send(call, 'x', token)
      t.equal(answer.statusCode, 403, `${call.name} with ${scope}`)
      if (call.method as string !== 'HEAD') t.match(answer.json(), { code: 'scope_missing', scope: call.scope, detail: new RegExp(`"${call.scope}"`) })
    }
  }
  for (const call of calls.filter(({ path }) => path.includes(':id'))) {
    const answer = await send(call, 'no-such-container', tokens.get(call.scope!))
    t.not(answer.statusCode, 401, call.name)
    t.not(answer.statusCode, 403, call.name)
  }
})

t.test('S19: a container of somebody else is 404 everywhere, by id, by its beginning and by name', async (t) => {
  const references = [...Object.entries(foreign).flatMap(([whose, { id }]) => [[whose, id], [whose, id.slice(0, 12)]] as const), ...names.map((name) => [name, name] as const)]
  for (const call of calls.filter(({ path }) => path.includes(':id'))) {
    for (const [whose, reference] of references) {
      const answer = await send(call, reference, everything.token)
      const expected = call.method as string === 'TRACE' ? 405 : 404
      t.equal(answer.statusCode, expected, `${call.name} of ${whose}`)
      if (expected === 404 && call.method as string !== 'HEAD') t.equal(codeOf(answer), 'container_not_found')
      t.notMatch(answer.body, TENANT.tenant)
    }
  }
  for (const { id } of Object.values(foreign)) {
    const { State } = await engine.call('test.inspect', (docker, abortSignal) => docker.getContainer(id).inspect({ abortSignal }))
    t.equal(State.Running, true, 'nothing was done to it')
  }
})

t.test('what lists shows nothing of it either', async (t) => {
  const { token: admin } = app.tokens.create({ name: 'admin', scopes: ['admin'] })
  const lists = calls.filter(({ method, path, scope }) => method === 'GET' && !path.includes(':') && (scope === 'read' || scope === 'logs'))
  t.ok(lists.some(({ path }) => path === '/containers') && lists.some(({ path }) => path === '/stats') && lists.some(({ path }) => path === '/events'))
  // The engine remembers a few hundred events, of everybody: these are fresh.
  const since = Math.floor(Date.now() / 1000) - 1
  for (const { id } of Object.values(foreign)) await engine.call('test.kill', (docker, abortSignal) => docker.getContainer(id).kill({ signal: 'SIGCONT', abortSignal }))
  for (const call of lists) {
    const query = call.path === '/events' ? `since=${since}&timeout=0&limit=1000` : call.query
    const [seen, all] = await Promise.all([everything.token, admin].map((token) => send({ ...call, query }, '', token)))
    for (const { id } of Object.values(foreign)) t.notMatch(seen!.body, id.slice(0, 12), call.name)
    for (const name of names) t.notMatch(seen!.body, `"${name}"`, call.name)
    if (call.path === '/containers' || call.path === '/events') t.match(all!.body, foreign['another tenant\'s'].id, `${call.name} has something to hide`)
  }
})
