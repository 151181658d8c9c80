import { createHash } from 'node:crypto'
import t from 'tap'
import type { EngineEnvironment } from '../../../src/config/schema.ts'
import { resolveEndpoint } from '../../../src/engine/endpoint.ts'
import type { Machine } from '../../../src/engine/machine.ts'
import { DockApiError } from '../../../src/errors.ts'

/** A machine with these files; a path that ends with `!` exists but may not be opened. */
function machineWith (files: Record<string, string> = {}, platform: NodeJS.Platform = 'linux'): Machine {
  return {
    platform,
    home: platform === 'win32' ? 'C:\\Users\\ann' : '/home/ann',
    uid: platform === 'win32' ? undefined : 1000,
    readText: (path) => files[path],
    access: (path) => path in files ? 'usable' : `${path}!` in files ? 'denied' : 'missing'
  }
}

const sha256 = (name: string) => createHash('sha256').update(name).digest('hex')

function contextFiles (name: string, endpoint: object, folder = '/home/ann/.docker') {
  return { [`${folder}/contexts/meta/${sha256(name)}/meta.json`]: JSON.stringify({ Name: name, Metadata: {}, Endpoints: { docker: endpoint } }) }
}

await t.test('DOCKER_HOST in each form that the docker CLI takes', async (t) => {
  const cases: Array<[string, NodeJS.Platform, string, string]> = [
    ['unix:///var/run/docker.sock', 'linux', 'unix', '/var/run/docker.sock'],
    ['unix:///tmp/with space.sock', 'linux', 'unix', '/tmp/with space.sock'],
    ['unix://', 'linux', 'unix', '/var/run/docker.sock'],
    ['UNIX:///x.sock', 'linux', 'unix', '/x.sock'],
    ['npipe:////./pipe/docker_engine', 'win32', 'npipe', '//./pipe/docker_engine'],
    ['npipe://\\\\.\\pipe\\mine', 'win32', 'npipe', '//./pipe/mine'],
    ['npipe://', 'win32', 'npipe', '//./pipe/docker_engine'],
    ['tcp://dockerproxy:2375', 'linux', 'tcp', 'dockerproxy:2375'],
    ['tcp://dockerproxy', 'linux', 'tcp', 'dockerproxy:2375'],
    ['tcp://127.0.0.1:1/', 'linux', 'tcp', '127.0.0.1:1'],
    ['tcp://[::1]:2375', 'linux', 'tcp', '[::1]:2375'],
    ['tcp://', 'linux', 'tcp', 'localhost:2375'],
    ['dockerproxy:2375', 'linux', 'tcp', 'dockerproxy:2375'],
    ['http://engine:80', 'linux', 'tcp', 'engine:80'],
    ['https://engine', 'linux', 'tls', 'engine:2376'],
    ['ssh://ann@build.example:2222', 'linux', 'ssh', 'build.example:2222'],
    ['ssh://build', 'win32', 'ssh', 'build:22'],
    ['ssh://ann@[2001:db8::1]', 'linux', 'ssh', '[2001:db8::1]:22']
  ]
  for (const [value, platform, kind, address] of cases) {
    const endpoint = resolveEndpoint({ DOCKER_HOST: value }, machineWith({}, platform))
    t.match(endpoint, { kind, address, description: /\(DOCKER_HOST/ }, value)
  }
})

await t.test('a malformed DOCKER_HOST is named with its value and the right form', async (t) => {
  const cases: Array<[string, NodeJS.Platform, RegExp]> = [
    ['/var/run/docker.sock', 'linux', /Write unix:\/\/\/var\/run\/docker\.sock/],
    ['unix://var/run/docker.sock', 'linux', /three slashes/],
    ['unix:///var/run/docker.sock', 'win32', /npipe:/],
    ['npipe:////./pipe/docker_engine', 'linux', /unix:/],
    ['fd://3', 'linux', /fd:\/\/ is no way/],
    ['tcp://host:99999', 'linux', /no host and port/],
    ['tcp://host:port', 'linux', /no host and port/],
    ['tcp://host:2375/base', 'linux', /only a host and a port/],
    ['tcp://:2375', 'linux', /no host and port|host is missing/],
    ['tcp://ho st:2375', 'linux', /no host and port/],
    ['ssh://', 'linux', /host/],
    ['ssh://-oProxyCommand=evil', 'linux', /host is none/],
    ['ssh://-l@host', 'linux', /user is none/],
    ['ssh://host/run/docker.sock;reboot', 'linux', /unusual characters/]
  ]
  for (const [value, platform, expected] of cases) {
    t.throws(() => resolveEndpoint({ DOCKER_HOST: value }, machineWith({}, platform)), { code: 'engine_unavailable' }, value)
    try {
      resolveEndpoint({ DOCKER_HOST: value }, machineWith({}, platform))
    } catch (error) {
      const { message, hint } = error as DockApiError
      t.match(message, 'DOCKER_HOST')
      t.match(message, value)
      t.match(`${message} ${hint}`, expected, value)
    }
  }
})

await t.test('credentials in DOCKER_HOST are refused and never shown', async (t) => {
  for (const value of ['tcp://ann:hunter2@host:2375', 'ssh://ann:hunter2@host', 'ann:hunter2@host:1']) {
    const message = messageOf(() => resolveEndpoint({ DOCKER_HOST: value }, machineWith()))
    t.match(message, 'DOCKER_HOST', value)
    t.notMatch(message, /hunter2/, value)
  }
})

await t.test('TLS by DOCKER_TLS_VERIFY or DOCKER_TLS', async (t) => {
  const all = { '/certs/ca.pem': '', '/certs/cert.pem': '', '/certs/key.pem': '' }
  const resolve = (environment: EngineEnvironment, files: Record<string, string>) => resolveEndpoint({ DOCKER_HOST: 'tcp://h', ...environment }, machineWith(files))

  t.match(resolve({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' }, all),
    { kind: 'tls', address: 'h:2376', tls: { ca: '/certs/ca.pem', cert: '/certs/cert.pem', key: '/certs/key.pem', isVerified: true } })
  t.match(resolve({ DOCKER_TLS: '1', DOCKER_CERT_PATH: '/certs' }, all), { kind: 'tls', tls: { isVerified: true } }, 'the certificate is verified all the same')
  t.match(resolve({ DOCKER_CERT_PATH: '/nowhere' }, {}), { kind: 'tcp', address: 'h:2375' }, 'certificates alone switch nothing on')
  t.match(resolve({ DOCKER_TLS_VERIFY: '1' }, { '/home/ann/.docker/ca.pem': '' }), { kind: 'tls', tls: { ca: '/home/ann/.docker/ca.pem' } })
  t.strictSame(resolve({ DOCKER_TLS_VERIFY: '1' }, {}), { kind: 'tls', host: 'h', port: 2376, tls: { isVerified: true }, address: 'h:2376', description: 'tcp://h:2376 (DOCKER_HOST, TLS)' }, 'the system\'s own CAs')

  for (const missing of ['ca.pem', 'cert.pem', 'key.pem']) {
    const files = Object.fromEntries(Object.entries(all).filter(([path]) => !path.endsWith(`/${missing}`)))
    const message = messageOf(() => resolve({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' }, files))
    t.match(message, 'DOCKER_CERT_PATH is "/certs"')
    t.match(message, missing)
  }
  t.match(resolve({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' }, { '/certs/ca.pem': '' }), { kind: 'tls' }, 'an engine that asks for no client certificate')
})

await t.test('contexts', async (t) => {
  const local = contextFiles('desktop-linux', { Host: 'unix:///home/ann/.docker/desktop/docker.sock' })
  const current = { '/home/ann/.docker/config.json': '{"currentContext":"desktop-linux","auths":{}}' }

  t.match(resolveEndpoint({}, machineWith({ ...local, ...current })), { kind: 'unix', address: '/home/ann/.docker/desktop/docker.sock', description: /context "desktop-linux" of .*config\.json/ })
  t.match(resolveEndpoint({ DOCKER_CONTEXT: 'desktop-linux' }, machineWith(local)), { kind: 'unix', description: /of DOCKER_CONTEXT/ })
  t.match(resolveEndpoint({ DOCKER_HOST: 'tcp://h:1', DOCKER_CONTEXT: 'desktop-linux' }, machineWith(local)), { kind: 'tcp' }, 'DOCKER_HOST comes first')
  t.match(resolveEndpoint({ DOCKER_CONTEXT: 'default' }, machineWith({ ...current, '/var/run/docker.sock': '' })), { address: '/var/run/docker.sock' })
  t.match(resolveEndpoint({ DOCKER_CONFIG: '/cfg', DOCKER_CONTEXT: 'x' }, machineWith(contextFiles('x', { Host: 'ssh://ann@h' }, '/cfg'))), { kind: 'ssh', user: 'ann' })

  const tls = `/home/ann/.docker/contexts/tls/${sha256('far')}/docker`
  const far = contextFiles('far', { Host: 'tcp://far:2376' })
  t.match(resolveEndpoint({ DOCKER_CONTEXT: 'far' }, machineWith(far)), { kind: 'tcp' }, 'no TLS material: plain')
  t.match(resolveEndpoint({ DOCKER_CONTEXT: 'far' }, machineWith({ ...far, [`${tls}/ca.pem`]: '', [`${tls}/cert.pem`]: '', [`${tls}/key.pem`]: '' })),
    { kind: 'tls', tls: { ca: `${tls}/ca.pem`, cert: `${tls}/cert.pem`, key: `${tls}/key.pem`, isVerified: true } })
  t.match(resolveEndpoint({ DOCKER_CONTEXT: 'lax' }, machineWith(contextFiles('lax', { Host: 'tcp://far:2376', SkipTLSVerify: true }))), { kind: 'tls', tls: { isVerified: false } })

  t.match(messageOf(() => resolveEndpoint({ DOCKER_CONTEXT: 'gone' }, machineWith())), /"gone" \(named by DOCKER_CONTEXT\)/)
  t.match(messageOf(() => resolveEndpoint({}, machineWith({ '/home/ann/.docker/config.json': '{' }))), /config\.json cannot be understood/)

  const windows = 'C:\\Users\\ann\\.docker'
  t.match(resolveEndpoint({ DOCKER_CONTEXT: 'desktop-linux' }, machineWith({
    [`${windows}\\contexts\\meta\\${sha256('desktop-linux')}\\meta.json`]: JSON.stringify({ Endpoints: { docker: { Host: 'npipe:////./pipe/dockerDesktopLinuxEngine' } } })
  }, 'win32')), { kind: 'npipe', address: '//./pipe/dockerDesktopLinuxEngine' })
})

await t.test('the first well-known socket', async (t) => {
  const found = (files: Record<string, string>, platform?: NodeJS.Platform, environment: EngineEnvironment = {}) => resolveEndpoint(environment, machineWith(files, platform)).address
  t.equal(found({ '/var/run/docker.sock': '', '/home/ann/.docker/run/docker.sock': '' }), '/var/run/docker.sock')
  t.equal(found({ '/home/ann/.docker/run/docker.sock': '' }, 'darwin'), '/home/ann/.docker/run/docker.sock')
  t.equal(found({ '/run/user/1000/docker.sock': '' }), '/run/user/1000/docker.sock', 'rootless')
  t.equal(found({ '/xdg/podman/podman.sock': '' }, 'linux', { XDG_RUNTIME_DIR: '/xdg' }), '/xdg/podman/podman.sock')
  t.equal(found({ '/home/ann/.orbstack/run/docker.sock': '' }, 'darwin'), '/home/ann/.orbstack/run/docker.sock')
  t.equal(found({ '//./pipe/dockerDesktopLinuxEngine': '' }, 'win32'), '//./pipe/dockerDesktopLinuxEngine')
  t.equal(found({ '/var/run/docker.sock!': '', '/run/user/1000/docker.sock': '' }), '/run/user/1000/docker.sock', 'one that this user may open comes before one that it may not')
  t.equal(found({ '/var/run/docker.sock!': '' }), '/var/run/docker.sock', 'the only one there is, so that the error can name it')
  t.match(resolveEndpoint({}, machineWith()), { address: '/var/run/docker.sock', description: /default/, alternatives: [/\.docker/] }, 'none')
})

function messageOf (run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof DockApiError) return error.message
    throw error
  }
  throw new Error('nothing was thrown')
}
