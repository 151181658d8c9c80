import { request } from 'node:http'
import t from 'tap'
import { busyboxImage, createTestEngine, startTestContainer } from '../support/engine.ts'
import { docker, openFilter } from '../support/filter.ts'
import { connect, exchange } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const NAME = `filter-${process.pid}`
await startTestContainer(engine, { image, command: ['httpd', '-f', '-p', '80', '-h', '/etc'], name: NAME, port: 80, env: { PASSWORD: 'hunter2', VIRTUAL_HOST: `${NAME}.example.org` } })

t.test('what is written oddly reaches nobody', async (t) => {
  const { port, chaos } = await openFilter(t, 'containers,networks,images,volumes,info,post')
  const host = 'Host: 127.0.0.1\r\n'
  const odd: Array<[bytes: string, status: number]> = [
    [`GET /containers%2Fjson HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /v1.41/../containers/json HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /v1.41/containers/x/%2e%2e/json HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/../info HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /./containers/json HTTP/1.1\r\n${host}\r\n`, 400],
    [`POST //containers/create HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`, 400],
    [`GET /containers//json HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/json/ HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/json;x=1 HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers\\json HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET http://127.0.0.1/containers/json HTTP/1.1\r\n${host}\r\n`, 400],
    [`OPTIONS * HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/json?all=1?all=0 HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/json?all=1&all=0 HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/json?filters=${'x'.repeat(9000)} HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/json?fromImage=x HTTP/1.1\r\n${host}\r\n`, 403],
    [`GET /containers/x/top?ps_args=auxe HTTP/1.1\r\n${host}\r\n`, 403],
    [`GET /Containers/json HTTP/1.1\r\n${host}\r\n`, 403],
    [`GET /v2/containers/json HTTP/1.1\r\n${host}\r\n`, 403],
    [`GET /v1.41/v1.41/containers/json HTTP/1.1\r\n${host}\r\n`, 403],
    [`GET /libpod/containers/json HTTP/1.1\r\n${host}\r\n`, 403],
    [`get /containers/json HTTP/1.1\r\n${host}\r\n`, 400],
    [`POST /containers/json HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`, 403],
    [`HEAD /containers/json HTTP/1.1\r\n${host}\r\n`, 403],
    [`GET /containers/x/attach/ws HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 403],
    [`GET /containers/json HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`, 403],
    [`POST /session HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`, 403],
    [`POST /grpc HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`, 403],
    [`POST /exec/abc/start HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}`, 403],
    [`GET /containers/json HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`, 403],
    [`POST /containers/x/start HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, 403],
    [`POST /containers/x/start HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`, 403],
    [`POST /containers/x/start HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    [`POST /containers/x/start HTTP/1.1\r\n${host}Content-Length: 0\r\nContent-Length: 5\r\n\r\n`, 400],
    [`GET /containers/json HTTP/1.1\r\n${host}Host: other\r\n\r\n`, 400],
    ['GET /containers/json HTTP/1.1\r\n\r\n', 400],
    ['GET /containers/json HTTP/1.1\r\nHost: evil.example.org\r\n\r\n', 403],
    [`GET /containers/json HTTP/1.1\r\n${host}Origin: http://127.0.0.1:8080\r\n\r\n`, 403],
    [`POST /containers/x/start HTTP/1.1\r\n${host}Sec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n\r\n`, 403],
    ['GET /containers/json HTTP/1.1\nHost: 127.0.0.1\n\n', 400]
  ]
  for (const [bytes, status] of odd) {
    const answer = await exchange(t, port, bytes)
    t.equal(answer.status, status, JSON.stringify(bytes.slice(0, 120)))
    if (!bytes.startsWith('HEAD') && answer.body !== '') t.type((answer.json() as { message?: string }).message, 'string')
  }
  t.same(chaos.requests, [], 'no byte went to the engine')
})

t.test('a request behind one with a body or an upgrade is not taken for a new one', async (t) => {
  const { port, chaos } = await openFilter(t, 'containers,post')
  const smuggled = `POST /containers/${NAME}/kill HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`
  const body = await connect(t, port)
  await body.send(`POST /containers/x/start HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`)
  t.equal((await body.answer()).status, 403)
  const upgrade = await connect(t, port)
  await upgrade.send(`POST /exec/x/start HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n${smuggled}`)
  t.equal((await upgrade.answer()).status, 403)
  await upgrade.closed()
  t.same(chaos.requests, [])
})

t.test('a client that leaves ends its stream at the engine', async (t) => {
  const { origin, chaos } = await openFilter(t, 'containers')
  const before = chaos.connections.open
  const leaving = new AbortController()
  const response = await fetch(`${origin}/events`, { signal: leaving.signal })
  t.equal(response.status, 200, 'the head comes before the first event')
  await until(() => chaos.connections.open > before)
  const open = chaos.connections.open
  leaving.abort()
  await until(() => chaos.connections.open < open)
  t.equal(chaos.count('/events'), 1)
})

t.test('streams are bounded, and so is what the engine is asked at once', async (t) => {
  const { origin, chaos } = await openFilter(t, 'containers', { DOCKAPI_MAX_STREAMS: '2' })
  const streams = await Promise.all([fetch(`${origin}/events`), fetch(`${origin}/events`)])
  const third = await fetch(`${origin}/events`)
  t.match({ status: third.status, body: await third.json() }, { status: 429, body: { message: /open streams/ } })
  await streams[0].body!.cancel()
  await until(async () => {
    const response = await fetch(`${origin}/events`)
    await response.body!.cancel()
    return response.status === 200
  })
  await streams[1].body!.cancel()

  chaos.rule(`GET /containers/${NAME}/json`, { kind: 'hang' })
  const asking = Array.from({ length: 100 }, () => {
    const question = request(`${origin}/containers/${NAME}/json`)
    question.on('error', () => {}).end()
    return question
  })
  await until(() => chaos.count(`/containers/${NAME}/json`) >= 16)
  for (let round = 0; round < 10; round++) await (await fetch(`${origin}/events?since=1&until=2`)).text()
  t.equal(chaos.count(`/containers/${NAME}/json`), 16)
  for (const question of asking) question.destroy()
  chaos.clear()
  t.equal((await fetch(`${origin}/containers/${NAME}/json`)).status, 200, 'those that left gave their places back')
})

t.test('an engine that is away is told in its own form', async (t) => {
  const { port, chaos, origin } = await openFilter(t, 'containers')
  await chaos.stop()
  t.match(await docker(port, 'ps'), { code: 1, output: /Cannot reach the engine/ })
  await chaos.start()
  t.equal((await fetch(`${origin}/containers/json`)).status, 200)
})

t.test('the page of another socket proxy before the engine is made a sentence', async (t) => {
  const { chaos, origin } = await openFilter(t, 'images')
  chaos.rule('GET /images/json', { kind: 'answer', status: 403, type: 'text/html', body: '<html>403</html>' })
  const page = await fetch(`${origin}/images/json`)
  t.match({ status: page.status, body: await page.json() }, { status: 403, body: { message: /IMAGES is off/ } })
})
