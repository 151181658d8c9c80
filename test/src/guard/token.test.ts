import t from 'tap'
import { createTokenCheck } from '../../../src/guard/token.ts'

const TOKEN = 'a-secret-of-24-characters'

await t.test('only the whole token in a Bearer header is dockAPI\'s own', async (t) => {
  const isOwn = createTokenCheck(TOKEN)
  for (const header of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER   ${TOKEN} `]) t.equal(isOwn(header), true, header)
  for (const header of [
    undefined, '', 'Bearer', 'Bearer ', TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(0, -1)}`, `Bearer ${TOKEN.toUpperCase()}`, `Bearer x ${TOKEN}`,
    `Bearer ${TOKEN}, Bearer ${TOKEN}`, `Bearer\t${TOKEN}`, `Bearer ${TOKEN}\n`, `xBearer ${TOKEN}`
  ]) t.equal(isOwn(header), false, JSON.stringify(header))
})

await t.test('without a token nothing is dockAPI\'s own', async (t) => {
  const isOwn = createTokenCheck(undefined)
  t.equal(isOwn('Bearer undefined'), false)
  t.equal(isOwn(undefined), false)
})
