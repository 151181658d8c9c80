import t from 'tap'
import type { RunResult } from '../../schemas/containers.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, startTestContainer, TEST_RUN } from '../support/engine.ts'
import { openStream } from '../support/stream-client.ts'
import type { Received } from '../support/stream-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { app, url } = await listenTestApp(t)
const api = createClient(url)
let count = 0

/** A label of its own for each test, and names that begin with it. */
function createGroup () {
  const group = `merged-${TEST_RUN.replace('.', '-')}-${count++}`
  const run = async (name: string, script: string) => (await api.run<RunResult>({ image, container_port: 80, name: `${group}-${name}`, command: ['sh', '-c', script], labels: { group } })).body
  return { group, run, address: `${url}/logs?label=group%3D${group}` }
}

const linesOf = (events: Received[]) => events.filter(({ event }) => event === 'log').map(({ data }) => data.line as string)
const isLine = (line: string) => ({ data }: Received) => data.line === line

t.test('several containers in the order of time, each line with its container', async (t) => {
  const { group, run, address } = createGroup()
  const script = (name: string, pause: string) => `sleep ${pause}; for i in 1 2 3 4 5; do echo ${name} $i; sleep 0.2; done; echo ${name} end >&2`
  const made = await Promise.all([run('a', script('a', '0')), run('b', script('b', '0.1')), run('c', script('c', '0.05'))])
  await Promise.all(made.map(({ id }) => api.post(`/containers/${id}/wait`)))
  const events = await (await openStream(t, address)).rest()
  t.same(events.pop(), { event: 'end', data: { reason: 'complete' } })
  t.equal(events.length, 18)
  const times = events.map(({ data }) => data.time as string)
  t.same(times, times.toSorted())
  for (const { data } of events) t.match(made.find(({ id }) => id === data.container_id), { name: data.container_name })
  t.match(events.find(({ data }) => data.line === 'b end'), { data: { stream: 'stderr', container_name: `${group}-b` } })
  const text = await (await fetch(`${address}&regex=^b.*[12]$`)).text()
  t.equal(text, `${group}-b | b 1\n${group}-b | b 2\n`)
  t.same(linesOf(await (await openStream(t, `${address}&tail=1&stdout=false`)).rest()).toSorted(), ['a end', 'b end', 'c end'])
  t.same(linesOf(await (await openStream(t, `${url}/logs?container=${made[0]!.id.slice(0, 12)}&container=${group}-c&tail=1`)).rest()).toSorted(), ['a end', 'c end'])
  t.same(linesOf(await (await openStream(t, `${url}/logs?name=${group}-b&grep=3`)).rest()), ['b 3'])
  const json = await fetch(`${address}&tail=1&download=true`, { headers: { accept: 'application/json' } })
  t.equal(json.headers.get('content-disposition'), 'attachment; filename="logs.json"')
  t.match(await json.json(), { events: [{ container_id: String }, {}, {}], end: { reason: 'complete' } })
})

t.test('follow takes in what starts later and what starts again, and nothing of what does not match', async (t) => {
  const { group, run, address } = createGroup()
  const first = await run('first', 'echo first; while [ ! -e /go ]; do sleep 0.05; done; rm /go; echo first goes')
  const other = createGroup()
  const stream = await openStream(t, `${address}&follow=true`, { form: 'sse' })
  await stream.until(isLine('first'))
  await other.run('other', 'echo other; sleep 300')
  const second = await run('second', 'echo second; sleep 300')
  t.match((await stream.until(isLine('second'))).at(-1), { data: { container_id: second.id, container_name: `${group}-second` } })
  await api.post(`/containers/${first.id}/exec`, { command: 'touch /go' })
  await stream.until(isLine('first goes'))
  await api.post(`/containers/${first.id}/wait`)
  await api.post(`/containers/${first.id}/start`)
  t.same(linesOf(await stream.until(isLine('first'))), ['first'], 'only what the new run says')
  stream.leave()
  await until(() => app.logs.open === 0 && app.events.subscribers === 0)
})

t.test('a stream that is taken up again has neither holes nor doubles', async (t) => {
  const { run, address } = createGroup()
  const script = (name: string) => `i=0; while [ $i -lt 200 ]; do echo ${name} $i; i=$((i+1)); [ $((i % 20)) -eq 0 ] && sleep 0.15; done; sleep 300`
  await Promise.all(['a', 'b', 'c'].map((name) => run(name, script(name))))
  const got: Received[] = []
  let lastId: string | undefined
  while (got.length < 600) {
    const stream = await openStream(t, `${address}&follow=true&tail=all`, { form: 'sse', lastId })
    for (let count = 0; count < 75 && got.length < 600; count++) {
      const event = await stream.next()
      got.push(event!)
      lastId = event!.id
    }
    stream.leave()
  }
  t.equal(new Set(linesOf(got)).size, 600)
  for (const name of ['a', 'b', 'c']) t.same(linesOf(got).filter((line) => line.startsWith(name)), Array.from({ length: 200 }, (_, index) => `${name} ${index}`))
})

/** A hundred containers start and go sooner so. */
const WITHOUT_NETWORK = { NetworkMode: 'none' }

t.test('more containers than are read as one are refused with their number', async (t) => {
  const label = `many-${TEST_RUN}`
  await Promise.all(Array.from({ length: 51 }, () => startTestContainer(engine, { image, command: ['true'], labels: { 'dockapi.enable': 'true', many: label }, hostConfig: WITHOUT_NETWORK })))
  t.match(await api.get(`/logs?label=many%3D${label}`), { status: 400, body: { code: 'too_many_containers', matches: 51, limit: 50, detail: /51.*50/ } })
})

t.test('what starts when as many are read as can be is told in every form, once for each start, and the others go on', async (t) => {
  const label = `full-${TEST_RUN}`
  const labels = { 'dockapi.enable': 'true', full: label }
  const start = (command: string[], name: string) => startTestContainer(engine, { image, command, labels, name: `${label}-${name}`, hostConfig: WITHOUT_NETWORK })
  await Promise.all(Array.from({ length: 50 }, (_, index) => start(['sh', '-c', 'until [ -e /go ]; do sleep 0.2; done; echo goes'], `member-${index}`)))
  const address = `${url}/logs?label=full%3D${label}&follow=true&grep=goes`
  const read = await Promise.all([openStream(t, address), openStream(t, address, { form: 'sse' })])
  const leaving = new AbortController()
  t.after(() => leaving.abort())
  const open = async (accept: string) => (await fetch(address, { headers: { accept }, signal: leaving.signal })).body!.pipeThrough(new TextDecoderStream() as never).getReader() as ReadableStreamDefaultReader<string>
  const [plain, json] = await Promise.all([open('text/plain'), open('application/json')])
  const late = await start(['sh', '-c', 'echo late goes; sleep 300'], 'late')
  const notice = { container_id: late.id, container_name: `${label}-late`, detail: 'left out: 50 logs are read as one already' }
  for (const stream of read) t.same(await stream.next(), { event: 'left_out', data: notice })
  t.equal((await plain.read()).value, `${notice.container_name} | ${notice.detail}\n`)
  let text = ''
  while (!text.endsWith('}')) text += (await json.read()).value
  t.same(JSON.parse(`${text}]}`), { events: [{ event: 'left_out', ...notice }] })
  await api.post(`/containers/${label}-member-7/exec`, { command: 'touch /go' })
  for (const stream of read) t.match(await stream.next(), { event: 'log', data: { container_name: `${label}-member-7`, line: 'goes' } })
  const next = await start(['sh', '-c', 'echo next goes; sleep 300'], 'next')
  for (const stream of read) t.match(await stream.next(), { event: 'log', data: { container_id: next.id, line: 'next goes' } }, 'there is room again')
})

t.test('a container that is named and not there, or somebody else\'s, is 404 in every form; who comes back goes on with those that are left', async (t) => {
  const foreign = await startTestContainer(engine, { image, command: ['echo', 'foreign'] })
  const { group, run } = createGroup()
  const { id } = await run('a', 'echo a')
  await api.post(`/containers/${id}/wait`)
  for (const missing of ['nope', foreign.id]) {
    for (const accept of ['text/plain', 'application/x-ndjson', 'text/event-stream', 'application/json']) {
      for (const follow of ['', '&follow=true']) {
        const response = await fetch(`${url}/logs?container=${group}-a&container=${missing}${follow}`, { headers: { accept } })
        t.match({ status: response.status, body: await response.json() }, { status: 404, body: { code: 'container_not_found', detail: `There is no container "${missing}".` } })
      }
    }
  }
  const [line] = await (await openStream(t, `${url}/logs?container=${group}-a&container=${id}`)).rest()
  t.match(line, { event: 'log', data: { line: 'a' } })
  t.same(await (await openStream(t, `${url}/logs?container=${group}-a&container=nope`, { lastId: line!.id })).rest(), [{ event: 'end', data: { reason: 'complete' } }])
  t.same(await (await openStream(t, `${url}/logs?container=${group}-a&label=other`)).rest(), [{ event: 'end', data: { reason: 'complete' } }], 'it is there, and does not match')
})

t.test('what is out of scope does not show, nothing is no error, and wrong questions are refused', async (t) => {
  const foreign = `foreign-${TEST_RUN.replace('.', '-')}`
  await startTestContainer(engine, { image, name: foreign, command: ['echo', 'foreign'] })
  t.same(await (await openStream(t, `${url}/logs?name=${foreign}`)).rest(), [{ event: 'end', data: { reason: 'complete' } }])
  for (const query of ['regex=(', 'tail=x', 'follow=true&until=10m', 'stdout=false&stderr=false', 'x=1']) t.equal((await api.get(`/logs?${query}`)).status, 400, query)
  t.equal((await openStream(t, `${url}/logs`, { lastId: '7' })).response.status, 400)
  t.equal((await fetch(`${url}/logs`, { headers: { accept: 'image/png' } })).status, 406)
})

t.end()
