import t from 'tap'
import { RULES } from '../../../src/filter/rules.ts'
import { readSwitches, SWITCHES } from '../../../src/filter/switches.ts'
import { judge } from '../../../src/filter/verdict.ts'

const ALL = readSwitches(SWITCHES)
const get = (url: string, on = ALL) => judge({ method: 'GET', url }, on)

t.test('the version is the caller\'s, the rest is written anew', async (t) => {
  t.match(get('/v1.24/containers/json?all=1'), { isPassed: true, path: '/v1.24/containers/json?all=1' })
  t.match(get('/containers/json'), { isPassed: true, path: '/containers/json' })
  t.match(get('/events?filters=%7B%22type%22%3A%5B%22a%3Bb%22%5D%7D&since=1.5'), { isPassed: true, path: '/events?filters=%7B%22type%22%3A%5B%22a%3Bb%22%5D%7D&since=1.5' })
  t.match(get('/containers/json?limit=1;all=1'), { isPassed: true, path: '/containers/json?limit=1%3Ball%3D1' }, 'one value for every reader')
})

t.test('names of containers and images are taken as engines allow them', async (t) => {
  for (const name of ['a', 'web-1', 'my_app.1', 'f'.repeat(64)]) t.match(get(`/containers/${name}/json`), { isPassed: true }, name)
  for (const name of ['nginx', 'nginx:1.27', 'library/nginx', 'registry.example:5000/team/app:v1', 'sha256:abc', 'app@sha256:abc']) t.match(get(`/images/${name}/json`), { isPassed: true }, name)
  for (const name of ['-a', '.a', '@x', 'a%41', 'a b', 'a/b', 'ä']) t.match(get(`/containers/${name}/json`), { isPassed: false }, name)
})

t.test('by default nothing passes', async (t) => {
  for (const { method, path } of RULES) {
    const url = path.replace(/\{\w+\}/, 'x')
    t.match(judge({ method, url }, new Set()), { isPassed: false, status: 403 }, `${method} ${path}`)
    t.match(judge({ method, url }, ALL), { isPassed: true }, `${method} ${path}`)
  }
})

/** The operations of the Docker API 1.51 that change, enter, copy or tell secrets; every one is refused with every switch on. */
const NEVER = [
  'POST /containers/create', 'POST /containers/x/exec', 'POST /containers/x/attach', 'GET /containers/x/attach/ws', 'POST /containers/x/update', 'POST /containers/x/rename', 'POST /containers/x/resize',
  'POST /containers/x/wait', 'DELETE /containers/x', 'POST /containers/prune', 'GET /containers/x/archive', 'HEAD /containers/x/archive', 'PUT /containers/x/archive', 'GET /containers/x/export',
  'POST /exec/x/start', 'POST /exec/x/resize', 'GET /exec/x/json', 'POST /build', 'POST /build/prune', 'POST /build/cancel', 'POST /session', 'POST /grpc', 'POST /commit', 'POST /auth',
  'POST /images/create', 'POST /images/load', 'GET /images/get', 'GET /images/x/get', 'GET /images/x/history', 'POST /images/x/push', 'POST /images/x/tag', 'DELETE /images/x', 'GET /images/search', 'POST /images/prune',
  'POST /networks/create', 'POST /networks/x/connect', 'POST /networks/x/disconnect', 'DELETE /networks/x', 'POST /networks/prune',
  'POST /volumes/create', 'PUT /volumes/x', 'DELETE /volumes/x', 'POST /volumes/prune',
  'GET /swarm', 'POST /swarm/init', 'POST /swarm/join', 'POST /swarm/leave', 'POST /swarm/update', 'GET /swarm/unlockkey', 'POST /swarm/unlock',
  'POST /services/create', 'POST /services/x/update', 'DELETE /services/x', 'GET /services/x/logs', 'GET /tasks/x/logs', 'POST /nodes/x/update', 'DELETE /nodes/x',
  'GET /secrets', 'POST /secrets/create', 'GET /secrets/x', 'GET /configs', 'GET /configs/x', 'GET /plugins', 'POST /plugins/pull', 'POST /plugins/x/enable', 'GET /plugins/privileges', 'GET /distribution/x/json',
  'POST /containers/json', 'POST /info', 'PUT /containers/x/start', 'GET /containers/x/start', 'PATCH /containers/x', 'TRACE /info', 'DELETE /_ping', 'GET /'
]

t.test('with every switch on, what makes, changes, enters or copies is refused, and so is what tells secrets', async (t) => {
  for (const line of NEVER) {
    const [method = '', path = ''] = line.split(' ')
    for (const url of [path, `/v1.41${path}`]) t.match(judge({ method, url }, ALL), { isPassed: false, switches: [] }, `${method} ${url}`)
  }
})

t.test('a refusal says what would open it: the least of it first', async (t) => {
  t.match(get('/images/json', new Set()), { switches: ['IMAGES'], message: /GET \/images\/json: it needs IMAGES, which is off\. Add IMAGES to DOCKAPI_FILTER_SECTIONS/ })
  const stop = { method: 'POST', url: '/v1.41/containers/x/stop?t=1' }
  t.match(judge(stop, new Set()), { switches: ['ALLOW_STOP'], message: /it needs ALLOW_STOP or ALLOW_RESTARTS or CONTAINERS and POST, which are off/ })
  t.match(judge(stop, new Set(['ALLOW_STOP'])), { isPassed: true, path: '/v1.41/containers/x/stop?t=1' })
  t.match(judge(stop, new Set(['POST'])), { isPassed: false }, 'POST alone opens nothing')
  t.match(judge({ method: 'POST', url: '/containers/x/start' }, new Set(['ALLOW_STOP'])), { isPassed: false })
})

t.test('a parameter that is not known does not pass', async (t) => {
  t.match(get('/containers/json?all=1&__proto__=1'), { isPassed: false, status: 403, message: /"__proto__"/ })
  t.match(get('/containers/x/top?ps_args=e'), { isPassed: false, status: 403 })
})

t.test('what is long is not said back', async (t) => {
  for (const url of [`/${'a'.repeat(5000)}`, `/containers/json?${'a'.repeat(5000)}=1`]) t.ok((get(url) as { message: string }).message.length < 700)
  t.match(get(`/${'a'.repeat(9000)}`), { status: 400 })
})
