import t from 'tap'
import type { Problem } from '../../schemas/problem.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine } from '../support/engine.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { url } = await listenTestApp(t)
const api = createClient(url)

/** A body that is refused, the status, and the field or word that the answer must name. */
const REFUSED: Array<[string, Record<string, unknown>, number, RegExp]> = [
  ['an unknown field', { containerPort: 80 }, 400, /containerPort is not a known field; did you mean container_port/],
  ['a wrong type', { container_port: '80' }, 400, /container_port must be integer/],
  ['null', { name: null }, 400, /name must be string/],
  ['a port out of range', { container_port: 70000 }, 400, /container_port must be <= 65535/],
  ['a host port out of range', { host_port: -1 }, 400, /host_port must be >= 0/],
  ['a bad name', { name: 'ü' }, 400, /name is not written rightly/],
  ...['a;b', 'a$(id)', 'a|b', 'a&b', 'a`id`', 'a\nb', '../a', '-a'].map((name): [string, Record<string, unknown>, number, RegExp] => [`what a shell would obey in a name: ${JSON.stringify(name)}`, { name }, 400, /name is not written rightly/]),
  ...['a;b', 'a$(id)', 'a`id`:1', 'registry.test/$(id)/a'].map((image): [string, Record<string, unknown>, number, RegExp] => [`what a shell would obey in an image: ${image}`, { image }, 400, /image/]),
  ['a bad environment name', { env: { 'A=B': 'x' } }, 400, /env\.A=B is not a valid name/],
  ['a NUL in the environment', { env: { A: '\0' } }, 400, /env\.A/],
  ['a number in the environment', { env: { A: 1 } }, 400, /env\.A must be string/],
  ['an image in capitals', { image: 'Nginx' }, 400, /"Nginx" is no image reference/],
  ['an image with a line break', { image: 'nginx\n' }, 400, /image/],
  ['a volume without a target', { volumes: ['/data'] }, 400, /"\/data" is wrong/],
  ['a volume with a bad mode', { volumes: ['data:/data:rox'] }, 400, /rox/],
  ['a volume with a relative target', { volumes: ['data:data'] }, 400, /must be absolute/],
  ['a volume with a relative source', { volumes: ['./data:/data'] }, 400, /neither an absolute host path nor the name/],
  ['a reserved label', { labels: { 'dockapi.managed': 'false' } }, 400, /dockapi\./],
  ['a host in health_path', { health_path: '@127.0.0.2/' }, 400, /must begin with \//],
  ['a second host in health_path', { health_path: '//127.0.0.2/' }, 400, /names a host/],
  ['a whole URL in health_path', { health_path: 'http://127.0.0.2/' }, 400, /must begin with \//],
  ['a line break in health_path', { health_path: '/\r\nHost: x' }, 400, /printable ASCII/],
  ['dots in health_path', { health_path: '/a/../b' }, 400, /\.\./],
  ['an open quote', { command: 'echo "hi' }, 400, /open quote/],
  ['an empty command', { command: [] }, 400, /command/],
  ['too little memory', { memory: '1m' }, 400, /minimum of 6m/],
  ['memory in words', { memory: 'lots' }, 400, /memory/],
  ['wait_ready with detach: false', { wait_ready: true, detach: false }, 400, /wait_ready/],
  ['if_exists without a name', { if_exists: 'reuse' }, 400, /if_exists/],
  ['a bind mount without roots', { volumes: ['/srv/data:/data'] }, 403, /DOCKAPI_VOLUME_ROOTS/],
  ['a Windows bind mount without roots', { volumes: ['C:/host/data:/data:ro'] }, 403, /DOCKAPI_VOLUME_ROOTS/],
  ['the engine\'s socket', { volumes: ['/var/run/docker.sock:/s'] }, 403, /socket/],
  ['the host\'s root', { volumes: ['/:/host'] }, 403, /cannot be mounted/],
  ['the host\'s network', { network: 'host' }, 403, /network "host"/],
  ['another container\'s network', { network: 'container:other' }, 403, /network "container:other"/],
  ['privileged', { privileged: true }, 400, /privileged is not a known field/]
]

for (const [what, body, status, named] of REFUSED) {
  t.test(`run refuses ${what}`, async (t) => {
    const { status: actual, body: problem } = await api.run<Problem>({ image, container_port: 80, ...body })
    t.equal(actual, status)
    t.match(`${problem.detail} ${problem.hint}`, named)
    t.equal(problem.error, problem.detail)
  })
}

t.test('no refused request made a container', async (t) => {
  const names = await engine.call('test.list', (docker, abortSignal) => docker.listContainers({ all: true, filters: { status: ['created'], label: [`dockapi-test=${process.pid}`] }, abortSignal }))
  t.same(names, [])
})

t.test('an image without EXPOSE needs container_port', async (t) => {
  const { status, body } = await api.run<Problem>({ image })
  t.equal(status, 400)
  t.match(body, { code: 'no_port', errors: [{ pointer: '/container_port' }] })
})

t.test('bodies that are no JSON object', async (t) => {
  const send = (body: string, type = 'application/json') => fetch(`${url}/containers/run`, { method: 'POST', headers: { 'content-type': type }, body })
  t.equal((await send('{')).status, 400)
  t.equal((await send('')).status, 400)
  t.equal((await send('[]')).status, 400)
  t.equal((await send('"x"')).status, 400)
  t.equal((await send('{"image":"x","image":"y","__proto__":{"a":1}}')).status, 400)
  t.equal((await send(`{"image":"x","labels":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`)).status, 400)
  t.equal((await send(`{"image":"${'x'.repeat(2 * 1024 ** 2)}"}`)).status, 413)
  t.equal((await send('{}', 'text/plain')).status, 415)
})

t.test('ids that cannot be are refused before the engine is asked', async (t) => {
  for (const id of ['..', '%2e%2e', 'a%2Fb', 'a b', 'a%00', '-x', 'x'.repeat(129)]) {
    const { status } = await api.get(`/containers/${id.includes('%') || id === '..' ? id : encodeURIComponent(id)}`)
    t.ok(status === 400 || status === 404, `${id}: ${status}`)
  }
})

t.test('queries that are wrong name their field', async (t) => {
  for (const query of ['tail=-1', 'tail=x', 'follow=maybe', 'since=yesterday', 'nope=1', 'stdout=false&stderr=false']) {
    const run = await api.run<{ id: string }>({ image, detach: false, command: 'true' })
    const { status, body } = await api.get<Problem>(`/containers/${run.body.id}/logs?${query}`)
    t.equal(status, 400, query)
    t.match(body.errors, [{ where: 'query', pointer: `/${query.split('=')[0]}` }])
  }
})

t.end()
