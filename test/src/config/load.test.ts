import t from 'tap'
import { ConfigError, loadConfig } from '../../../src/config/load.ts'
import { SETTINGS } from '../../../src/config/schema.ts'

const TOKEN = 'a-secret-of-24-characters'

function problemsOf (source: Parameters<typeof loadConfig>[0]): string[] {
  try {
    loadConfig(source)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems
  }
}

await t.test('with nothing set, the API is on a loopback address and open to this machine', async (t) => {
  const config = loadConfig()
  t.match(config, { host: '127.0.0.1', port: 8000, scope: 'managed', publishHost: '127.0.0.1', auth: 'auto', memory: 1024 ** 3, cpus: 1, pids: 512, logLevel: 'info', allowedHosts: [], corsOrigins: [], volumeRoots: [] })
  t.equal(config.token, undefined)
  t.same(config.engine, {})
})

await t.test('a flag counts before the environment, the environment before the default', async (t) => {
  t.equal(loadConfig({ env: { DOCKAPI_PORT: '9000' } }).port, 9000)
  t.equal(loadConfig({ env: { DOCKAPI_PORT: '9000' }, argv: ['--port', '9001'] }).port, 9001)
  t.equal(loadConfig({ env: { DOCKAPI_PORT: '9000' }, argv: ['--port=0'] }).port, 0)
})

await t.test('every setting can be given as a flag and as a variable', async (t) => {
  const values: Record<string, [string, unknown]> = {
    host: ['::1', '::1'],
    port: ['1', 1],
    gatewayHost: ['::1', '::1'],
    gatewayPort: ['off', 'off'],
    domain: ['apps.example.org', 'apps.example.org'],
    expose: ['all', 'all'],
    sharedHosts: ['a.example, b.example', ['a.example', 'b.example']],
    middlewaresFile: ['/etc/dockapi/middlewares.yaml', '/etc/dockapi/middlewares.yaml'],
    scope: ['all', 'all'],
    network: ['web', 'web'],
    publishHost: ['127.0.0.2', '127.0.0.2'],
    auth: ['off', 'off'],
    token: [TOKEN, TOKEN],
    allowedHosts: ['nas.lan, box', ['nas.lan', 'box']],
    corsOrigins: ['https://a.example,http://b:3000', ['https://a.example', 'http://b:3000']],
    volumeRoots: ['/srv,C:/data,', ['/srv', 'C:/data']],
    memory: ['512m', 512 * 1024 ** 2],
    cpus: ['0.5', 0.5],
    pids: ['64', 64],
    rateLimit: ['0', 0],
    rateLimitRedis: ['redis://:secret@cache:6379', 'redis://:secret@cache:6379'],
    maxMemory: ['2g', 2 * 1024 ** 3],
    maxCpus: ['1.5', 1.5],
    maxPids: ['100', 100],
    maxContainers: ['20', 20],
    capDrop: ['ALL', ['ALL']],
    hostPorts: ['8080, 9000-9999', ['8080', '9000-9999']],
    imagesAllow: ['nginx, ghcr.io/team/**', ['nginx', 'ghcr.io/team/**']],
    imagesDeny: ['evil.io/**', ['evil.io/**']],
    registries: ['docker.io,registry:5000', ['docker.io', 'registry:5000']],
    maxStreams: ['10', 10],
    maxExecs: ['11', 11],
    maxPulls: ['12', 12],
    maxBuilds: ['13', 13],
    maxWaits: ['14', 14],
    clientTimeout: ['1.5', 1.5],
    maxUpload: ['2g', 2 * 1024 ** 3],
    tombstones: ['0.5', 0.5],
    filter: ['127.0.0.1:2375', '127.0.0.1:2375'],
    filterSections: ['CONTAINERS=1,networks', ['CONTAINERS=1', 'networks']],
    filterEnv: ['shown', 'shown'],
    audit: ['7', 7],
    accessLog: ['on', 'on'],
    dataDir: ['/srv/dockapi', '/srv/dockapi'],
    logLevel: ['debug', 'debug']
  }
  t.same(Object.keys(values).sort(), SETTINGS.map(({ key }) => key).sort(), 'every setting is tried')
  for (const { key, flag, variable } of SETTINGS) {
    const [text, expected] = values[key]!
    t.same((loadConfig({ env: { [variable]: text } }) as Record<string, unknown>)[key], expected, variable)
    t.same((loadConfig({ argv: [flag, text] }) as Record<string, unknown>)[key], expected, flag)
  }
})

await t.test('the port of the gateway is a number or off', async (t) => {
  t.match(loadConfig(), { gatewayPort: 8080, isGatewayPortGiven: false })
  t.match(loadConfig({ env: { DOCKAPI_GATEWAY_PORT: '8080' } }), { gatewayPort: 8080, isGatewayPortGiven: true })
  t.match(loadConfig({ argv: ['--gateway-port', '0'] }), { gatewayPort: 0, isGatewayPortGiven: true })
  for (const port of ['on', '65536', '-1', '80.5']) t.match(problemsOf({ env: { DOCKAPI_GATEWAY_PORT: port } }), [/DOCKAPI_GATEWAY_PORT .*a number from 0 to 65535, off/], port)
})

await t.test('the filter is off, or at an address with a port', async (t) => {
  t.match(loadConfig(), { filter: 'off', filterSections: [], filterEnv: 'redacted' })
  for (const address of ['off', '127.0.0.1:2375', '0.0.0.0:0', '[::1]:65535', 'box:2375']) t.equal(loadConfig({ env: { DOCKAPI_FILTER: address } }).filter, address)
  for (const address of ['2375', ':2375', '127.0.0.1', '127.0.0.1:65536', 'http://127.0.0.1:2375', '::1:2375', 'on', 'a:b']) t.match(problemsOf({ env: { DOCKAPI_FILTER: address } }), [/DOCKAPI_FILTER .*Address and port, such as `127\.0\.0\.1:2375`/], address)
})

await t.test('lists say which of their entries may be written how', async (t) => {
  t.match(problemsOf({ env: { DOCKAPI_CAP_DROP: 'NET_RAW,SYS_ADMINN' } }), [/DOCKAPI_CAP_DROP .*\["NET_RAW","SYS_ADMINN"\].*AUDIT_WRITE/])
  for (const range of ['80-', 'x', '-1', '8080:80']) t.match(problemsOf({ env: { DOCKAPI_HOST_PORTS: range } }), [/DOCKAPI_HOST_PORTS/], range)
  for (const host of ['https://ghcr.io', 'GHCR.io', 'ghcr.io/team']) t.match(problemsOf({ env: { DOCKAPI_REGISTRIES: host } }), [/DOCKAPI_REGISTRIES/], host)
})

await t.test('an empty variable counts as not set', async (t) => {
  t.same(loadConfig({ env: Object.fromEntries(SETTINGS.map(({ variable }) => [variable, ''])) }), loadConfig())
})

await t.test('all mistakes are named at once, each with its variable, its value and what it may be', async (t) => {
  const problems = problemsOf({ env: { DOCKAPI_PORT: '70000', DOCKAPI_SCOPE: 'mine', DOCKAPI_MEMORY: 'much', DOCKAPI_CPUS: '-1', DOCKAPI_CORS_ORIGINS: 'https://a.example,*' }, argv: ['--pids', 'x', '--colour=red'] })
  t.equal(problems.length, 7)
  for (const pattern of [/DOCKAPI_PORT .*70000.*65535/, /DOCKAPI_SCOPE .*"mine".*managed, all/, /DOCKAPI_MEMORY .*"much"/, /DOCKAPI_CPUS .*-1/, /DOCKAPI_CORS_ORIGINS .*\*/, /colour.*--port/]) {
    t.ok(problems.some((problem) => pattern.test(problem)), String(pattern))
  }
})

await t.test('what is no flag is named, and so is a flag without a value', async (t) => {
  t.match(problemsOf({ argv: ['serve', '--no-auth', '-p', '--', 'x'] }).map((problem) => problem.split(' ')[0]), ['"serve"', '--no-auth', '-p', '"--"', '"x"'])
  t.match(problemsOf({ argv: ['--port'] }), ['--port has no value.'])
})

await t.test('numbers are whole texts: nothing is guessed from a part', async (t) => {
  for (const port of ['80x', '0x50', '1e3', '8 0', '80.5', 'NaN']) t.equal(problemsOf({ env: { DOCKAPI_PORT: port } }).length, 1, port)
})

await t.test('no message shows the password of Redis', async (t) => {
  const [problem] = problemsOf({ env: { DOCKAPI_RATE_LIMIT_REDIS: 'http://:pa55word@cache:6379' } })
  t.match(problem, /DOCKAPI_RATE_LIMIT_REDIS .*\[redacted\]/)
  t.notMatch(problem, /pa55word/)
})

await t.test('no message shows the token', async (t) => {
  const problems = problemsOf({ env: { DOCKAPI_TOKEN: 'too-short' } })
  t.equal(problems.length, 1)
  t.match(problems[0], 'DOCKAPI_TOKEN')
  t.notMatch(problems[0], 'too-short')
})

await t.test('the variables of the docker command are handed on as they are, and nothing else of the environment', async (t) => {
  const engine = { DOCKER_HOST: 'tcp://engine:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' }
  t.same(loadConfig({ env: { ...engine, DOCKER_CONTEXT: '', HOME: '/root', SECRET: 'x' } }).engine, engine)
})

await t.test('the configuration cannot be changed once it is read', async (t) => {
  const config = loadConfig({ env: { DOCKAPI_ALLOWED_HOSTS: 'nas.lan' } })
  t.ok(Object.isFrozen(config))
  t.ok(Object.isFrozen(config.engine))
  t.throws(() => { config.allowedHosts.push('evil.test') })
  t.same(loadConfig().allowedHosts, [])
})
