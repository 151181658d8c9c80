import t from 'tap'
import { isTokenRequired, refuseWithoutToken } from '../../../src/auth/requirement.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { createTestApp } from '../../support/app.ts'

const TOKEN = 'a-secret-of-24-characters'
const OPEN_TO_OTHERS = ['0.0.0.0', '::', '192.168.1.5', 'nas.lan', 'app.localhost', '128.0.0.1']
const LOOPBACK = ['127.0.0.1', '127.9.9.9', '::1', 'localhost']

t.test('S6: an address that others can reach needs a token, or "off" said aloud', async (t) => {
  for (const host of OPEN_TO_OTHERS) {
    t.throws(() => refuseWithoutToken(loadConfig({ env: { DOCKAPI_HOST: host } }), false), /dockapi token create NAME.*DOCKAPI_TOKEN/, host)
    for (const env of [{ DOCKAPI_TOKEN: TOKEN }, { DOCKAPI_AUTH: 'off' }] as Array<Record<string, string>>) t.doesNotThrow(() => refuseWithoutToken(loadConfig({ env: { DOCKAPI_HOST: host, ...env } }), false), host)
    t.doesNotThrow(() => refuseWithoutToken(loadConfig({ env: { DOCKAPI_HOST: host } }), true), 'one in the store is enough')
    t.equal(isTokenRequired(loadConfig({ env: { DOCKAPI_HOST: host } }), false), true, host)
    t.equal(isTokenRequired(loadConfig({ env: { DOCKAPI_HOST: host, DOCKAPI_AUTH: 'off' } }), true), false, host)
  }
})

t.test('a loopback address is open until there is a token; "off" keeps it open, "required" insists on one', async (t) => {
  for (const host of LOOPBACK) {
    const config = loadConfig({ env: { DOCKAPI_HOST: host } })
    t.doesNotThrow(() => refuseWithoutToken(config, false))
    t.equal(isTokenRequired(config, false), false, host)
    t.equal(isTokenRequired(config, true), true, host)
  }
  t.equal(isTokenRequired(loadConfig({ env: { DOCKAPI_TOKEN: TOKEN } }), false), true)
  t.equal(isTokenRequired(loadConfig({ env: { DOCKAPI_TOKEN: TOKEN, DOCKAPI_AUTH: 'off' } }), true), false)
  t.throws(() => refuseWithoutToken(loadConfig({ env: { DOCKAPI_AUTH: 'required' } }), false), /dockapi token create/)
  t.doesNotThrow(() => refuseWithoutToken(loadConfig({ env: { DOCKAPI_AUTH: 'required' } }), true))
})

t.test('nothing is built that could listen without a token', async (t) => {
  await t.rejects(createTestApp(t, { DOCKAPI_HOST: '0.0.0.0' }), { name: 'ConfigError' })
})

t.test('the first token closes the API, and revoking the last does not open it', async (t) => {
  const app = await createTestApp(t)
  t.equal((await app.inject('/tokens')).statusCode, 200)
  const { token } = app.tokens.create({ name: 'first', scopes: ['admin'] })
  t.equal((await app.inject('/tokens')).statusCode, 401)
  t.equal((await app.inject({ method: 'DELETE', url: '/tokens/first', headers: { authorization: `Bearer ${token}` } })).statusCode, 200)
  t.equal((await app.inject('/tokens')).statusCode, 401)
  t.equal((await app.inject({ url: '/tokens', headers: { authorization: `Bearer ${token}` } })).statusCode, 401)
})
