import bcrypt from 'bcryptjs'
import t from 'tap'
import { apr1 } from '../../../../src/gateway/middlewares/apr1.ts'
import { createMiddlewareGateway } from '../../../support/middleware-gateway.ts'
import { exchange } from '../../../support/raw-client.ts'

const BCRYPT = bcrypt.hashSync('secret', 4).replace('$2b$', '$2y$')
/** Made by `openssl passwd -apr1`. */
const APR1 = '$apr1$abCD./12$MIFeQJYwTXEnU0p/4igCI1'
const SHA = '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='
const USERS = [`bert:${BCRYPT}`, `anna:${APR1}`, `sam:${SHA}`, `j\u00f6rg:${BCRYPT}`]

const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}\r\n`
const get = (headers: string) => `GET / HTTP/1.1\r\nHost: app.test\r\n${headers}\r\n`

t.test('who knows a name and its password passes', async (t) => {
  const { port, use, rawd } = await createMiddlewareGateway(t)
  use({ basic_auth: { users: USERS, realm: 'My "app"\\', header_field: 'X-User', remove_header: true } })
  for (const user of ['bert', 'anna', 'sam', 'j\u00f6rg']) {
    rawd.clear()
    const answer = await exchange(t, port, get(`${basic(`${user}:secret`)}X-User: admin\r\nX_User: admin\r\n`))
    t.equal(answer.status, 200, user)
    const [request] = rawd.requests
    t.same([...request!.all('x-user'), ...request!.all('x_user')], [Buffer.from(user).toString('latin1')], user)
    t.same(request!.all('authorization'), [])
  }
  rawd.clear()
  for (const wrong of ['', basic('bert:Secret'), basic('nobody:secret'), basic('bert'), basic(':secret'), basic(`bert:${'x'.repeat(3000)}`), 'Authorization: Basic !!!\r\n', 'Authorization: Bearer own\r\n', basic(`bert:${BCRYPT}`)]) {
    const answer = await exchange(t, port, get(wrong))
    t.equal(answer.status, 401, wrong)
    t.equal(answer.header('www-authenticate'), 'Basic realm="My app", charset="UTF-8"')
    t.equal(answer.json().code, 'credentials_needed')
    t.notMatch(answer.body, BCRYPT.slice(7))
  }
  t.equal(rawd.requests.length, 0)
})

t.test('the application sees Authorization unless it is told otherwise', async (t) => {
  const { port, use, rawd } = await createMiddlewareGateway(t)
  use({ basic_auth: { users: USERS } })
  await exchange(t, port, get(basic('sam:secret')))
  t.equal((await rawd.request()).header('authorization'), `Basic ${Buffer.from('sam:secret').toString('base64')}`)
})

t.test('guessing is answered 429 after some tries, and those who know it still pass', async (t) => {
  const gateway = await createMiddlewareGateway(t)
  gateway.use({ basic_auth: { users: [`bert:${BCRYPT}`] } })
  t.equal((await exchange(t, gateway.port, get(basic('bert:secret')))).status, 200)
  const statuses: number[] = []
  for (let index = 0; index < 14; index++) {
    const answer = await exchange(t, gateway.port, get(basic(`bert:${index}`)))
    statuses.push(answer.status)
    if (answer.status === 429) t.equal(answer.header('retry-after'), '1')
  }
  t.same(statuses.slice(0, 10), Array(10).fill(401))
  t.ok(statuses.includes(429))
  t.equal((await exchange(t, gateway.port, get(basic('bert:secret')))).status, 200, 'a password that was right is remembered')
  gateway.clientAddress = '203.0.113.9'
  t.equal((await exchange(t, gateway.port, get(basic('bert:x')))).status, 401, 'another source has its own tries')
})

t.test('checks wait in a bounded queue, the same one is made once, and nobody else waits', async (t) => {
  const gateway = await createMiddlewareGateway(t)
  const slow = bcrypt.hashSync('secret', 11)
  gateway.use({ basic_auth: { users: [`bert:${slow}`] } })
  const same = Array.from({ length: 12 }, () => exchange(t, gateway.port, get(basic('bert:secret'))))
  let longest = 0
  let last = performance.now()
  const beat = setInterval(() => { longest = Math.max(longest, performance.now() - last); last = performance.now() }, 5)
  t.same((await Promise.all(same)).map(({ status }) => status), Array(12).fill(200))
  const guesses = await Promise.all(Array.from({ length: 8 }, (_, index) => exchange(t, gateway.port, get(basic(`bert:guess ${index}`)))))
  clearInterval(beat)
  const count = (wanted: number) => guesses.filter(({ status }) => status === wanted).length
  t.equal(count(401), 4)
  t.equal(count(429), 4)
  t.comment(`the longest pause of the main thread was ${Math.round(longest)} ms`)
})

t.test('users that cannot be checked let nobody in', async (t) => {
  const { port, use, rawd } = await createMiddlewareGateway(t)
  const huge = BCRYPT.replace('$04$', '$31$')
  for (const users of [[], ['bert'], [':x'], ['bert:plain'], ['bert:$1$abc$def'], [`bert:${huge}`], [`bert:${BCRYPT}x`], ['bert:$apr1$toolongsalt$aaaaaaaaaaaaaaaaaaaaaa']]) {
    const [middleware] = use({ basic_auth: { users } })
    t.match(middleware!.problem, 'users', String(users))
    t.notMatch(middleware!.problem, BCRYPT.slice(7))
    t.equal((await exchange(t, port, get(basic('bert:secret')))).status, 503)
  }
  t.match(use({ basic_auth: { users: USERS, header_field: 'Transfer-Encoding' } })[0]!.problem, 'header_field')
  t.equal(rawd.requests.length, 0)
})

t.test('apr1 is what openssl makes', async (t) => {
  t.equal(apr1('secret', 'abCD./12'), APR1)
  t.equal(apr1('caf\u00e9 long password of more than sixteen bytes, even thirty-two', 'abCD./12'), '$apr1$abCD./12$3GLSpRSsJ1mDW04WcQ/T00')
  t.equal(apr1('', 'abCD./12'), '$apr1$abCD./12$LOPyoCb85IQCeCgHlHlFZ0')
})
