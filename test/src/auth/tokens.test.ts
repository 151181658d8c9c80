import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createTickets } from '../../../src/auth/tickets.ts'
import { createAttempts } from '../../../src/auth/attempts.ts'
import { createTokens } from '../../../src/auth/tokens.ts'
import { OPEN } from '../../../src/auth/principal.ts'
import { openStore } from '../../../src/store/store.ts'
import { createTokenRows } from '../../../src/store/tokens.ts'
import type { TokenRequest } from '../../../schemas/tokens.ts'

function rig (dataDir = 'memory') {
  const store = openStore(dataDir)
  const clock = { now: Date.parse('2026-01-05T10:00:00Z') }
  const rows = createTokenRows(store)
  const tokens = createTokens(rows, () => clock.now)
  return { tokens, store, clock, rows, close () { tokens.close(); store.close() } }
}

const READER: TokenRequest = { name: 'reader', scopes: ['read'] }

t.test('a token is shown once, is found again, and tells what it is good for', async (t) => {
  const { tokens } = rig()
  t.equal(tokens.exist, false)
  const { token, ...info } = tokens.create({ name: 'ci', scopes: ['run', 'exec'], labels: { team: 'a' }, commands: ['ls -l'], limits: { memory: '64m', lifetime: '2h' }, expires_in: '1d' })
  t.match(token, /^dockapi_[A-Za-z0-9_-]{43}$/)
  t.equal(tokens.exist, true)
  t.match(info, { name: 'ci', expires_at: '2026-01-06T10:00:00.000Z', last_used_at: null, expired: false, images: null })
  t.same(tokens.get('ci'), info)
  t.same(tokens.list(), [info])
  const principal = tokens.verify(token)!
  t.match(principal, { name: 'ci', tokenId: info.id })
  t.same([...principal.scopes], ['run', 'exec'])
  t.same(principal.grant, { owner: 'ci', labels: { team: 'a' }, commands: [['ls', '-l']], limits: { memory: 64 * 1024 ** 2, lifetimeSeconds: 7200 } })
  t.equal(tokens.verify(token), principal, 'the same principal each time')
})

t.test('what is not the whole token is none', async (t) => {
  const { tokens } = rig()
  const { token } = tokens.create(READER)
  for (let round = 0; round < 2; round++) {
    for (const other of ['', 'dockapi_', token.slice(0, -1), `${token}A`, `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, token.toUpperCase(), ` ${token}`, token.replace('dockapi_', 'other_'), `dockapi_${'x'.repeat(43)}`]) {
      t.equal(tokens.verify(other), undefined, JSON.stringify(other))
    }
    t.ok(tokens.verify(token), 'neither before nor after it was seen')
  }
})

t.test('an expired token is none, what runs for it ends, and its name is free again', async (t) => {
  const { tokens, clock } = rig()
  const { token } = tokens.create({ ...READER, expires_in: '60s' })
  let ended = 0
  const principal = tokens.verify(token)!
  principal.onRevoked(() => { ended++ })
  principal.onRevoked(() => { ended += 10 })()
  clock.now += 60_000
  t.equal(tokens.verify(token), undefined)
  t.equal(ended, 1, 'not what had ended before')
  t.equal(tokens.get('reader').expired, true)
  const again = tokens.create(READER)
  t.ok(tokens.verify(again.token))
  t.equal(tokens.verify(token), undefined)
})

t.test('a revoked token is none at once; a name that is taken is refused', async (t) => {
  const { tokens } = rig()
  const { token } = tokens.create(READER)
  t.throws(() => tokens.create(READER), { code: 'token_exists' })
  let ended = 0
  tokens.verify(token)!.onRevoked(() => { ended++ })
  tokens.revoke('reader')
  t.equal(ended, 1)
  t.equal(tokens.verify(token), undefined)
  t.throws(() => tokens.revoke('reader'), { code: 'token_not_found' })
  t.throws(() => tokens.get('reader'), { code: 'token_not_found' })
  t.equal(tokens.exist, true, 'there was one: the API stays closed')
})

t.test('an admin token cannot be narrowed, and what narrows must make sense', async (t) => {
  const { tokens } = rig()
  for (const narrowing of [{ labels: { a: 'b' } }, { images: ['nginx'] }, { limits: { containers: 1 } }, { commands: ['ls'] }]) {
    t.throws(() => tokens.create({ name: 'x', scopes: ['read', 'admin'], ...narrowing }), { code: 'invalid_request', fields: [{ pointer: `/${Object.keys(narrowing)[0]}` }] })
  }
  t.throws(() => tokens.create({ name: 'x', scopes: ['exec'], commands: ['ok', '"open'] }), { code: 'invalid_request', fields: [{ pointer: '/commands/1' }] })
  t.same(tokens.list(), [])
})

t.test('S21: nothing in the data folder holds the token, and its files are for this user only', async (t) => {
  const dataDir = t.testdir({})
  const { tokens, close } = rig(dataDir)
  const { token } = tokens.create(READER)
  t.ok(tokens.verify(token))
  const files = await readdir(dataDir)
  t.ok(files.includes('dockapi.sqlite') && files.includes('dockapi.sqlite-wal'), 'the log of writes is looked at too')
  for (const file of files) {
    const bytes = await readFile(join(dataDir, file))
    // Its beginning is its id.
    for (const secret of [token, token.slice(-32), Buffer.from(token.slice('dockapi_'.length), 'base64url').toString('latin1')]) t.equal(bytes.indexOf(secret, 0, 'latin1'), -1, file)
    t.equal((await stat(join(dataDir, file))).mode & 0o777, 0o600, file)
  }
  close()
  const second = rig(dataDir)
  t.ok(second.tokens.verify(token), 'and yet it is known after a restart')
  second.close()
})

t.test('a store that everybody could read is closed to others when it is opened', { skip: process.platform === 'win32' }, async (t) => {
  const dataDir = t.testdir({ 'dockapi.sqlite': '' })
  rig(dataDir).close()
  t.equal((await stat(join(dataDir, 'dockapi.sqlite'))).mode & 0o777, 0o600)
})

t.test('S21: right, wrong and unknown tokens take times of one class', async (t) => {
  const { tokens } = rig()
  const { token } = tokens.create(READER)
  const wrong = `${token.slice(0, -4)}AAAA`
  const unknown = `dockapi_${'x'.repeat(43)}`
  tokens.verify(token)
  const medianOf = (text: string) => {
    const times = Array.from({ length: 2_001 }, () => {
      const began = process.hrtime.bigint()
      tokens.verify(text)
      return Number(process.hrtime.bigint() - began)
    })
    return times.sort((a, b) => a - b)[1_000]!
  }
  medianOf(token)
  const medians = [token, wrong, unknown].map(medianOf)
  t.comment(`median ns: right ${medians[0]}, wrong ${medians[1]}, unknown ${medians[2]}`)
  // An extra look into the store is a few microseconds. What must not be there is work that only one of them does, such as a slow hash.
  t.ok(Math.max(...medians) < 10 * Math.min(...medians))
})

t.test('tickets: once, soon, and no longer than their token', async (t) => {
  const { tokens } = rig()
  const clock = { now: 0 }
  const tickets = createTickets(() => clock.now)
  const { ticket, expires_at: expiresAt } = tickets.issue(OPEN)
  t.match(ticket, /^dockapi\.ticket\.[A-Za-z0-9_-]{43}$/)
  t.equal(expiresAt, '1970-01-01T00:00:30.000Z')
  t.equal(tickets.redeem(ticket), OPEN)
  t.equal(tickets.redeem(ticket), undefined)
  const late = tickets.issue(OPEN).ticket
  clock.now = 30_000
  t.equal(tickets.redeem(late), undefined)
  const principal = tokens.verify(tokens.create(READER).token)!
  const doomed = tickets.issue(principal).ticket
  tokens.revoke('reader')
  t.equal(tickets.redeem(doomed), undefined)
  for (const text of ['', 'x', `dockapi.ticket.${'x'.repeat(43)}`]) t.equal(tickets.redeem(text), undefined)
})

t.test('tickets that nobody uses are bounded: the oldest gives way', async (t) => {
  const tickets = createTickets(() => 0)
  const first = tickets.issue(OPEN).ticket
  for (let count = 0; count < 9_999; count++) tickets.issue(OPEN)
  const last = tickets.issue(OPEN).ticket
  t.equal(tickets.redeem(first), undefined)
  t.equal(tickets.redeem(last), OPEN)
})

t.test('wrong tokens are counted by address, of IPv6 by network, for a minute', async (t) => {
  const clock = { now: 0 }
  const attempts = createAttempts(() => clock.now)
  for (let count = 0; count < 99; count++) attempts.note('2001:db8:0:1::1')
  t.equal(attempts.secondsToWait('2001:db8:0:1::1'), 0)
  attempts.note('2001:db8:0:1:ffff::2')
  t.equal(attempts.secondsToWait('2001:db8:0:1:0:0:0:9'), 60)
  t.equal(attempts.secondsToWait('2001:db8:0:2::1'), 0)
  t.equal(attempts.secondsToWait('203.0.113.1'), 0)
  clock.now = 59_500
  t.equal(attempts.secondsToWait('2001:db8:0:1::1'), 1)
  clock.now = 60_000
  t.equal(attempts.secondsToWait('2001:db8:0:1::1'), 0)
})
