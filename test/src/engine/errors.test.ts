import t from 'tap'
import type { ErrorCode } from '../../../src/error-codes.ts'
import { DockApiError } from '../../../src/errors.ts'
import type { Endpoint } from '../../../src/engine/endpoint.ts'
import { engineStatus, translateEngineError } from '../../../src/engine/errors.ts'
import { EngineResponseError } from '../../../src/engine/modem.ts'
import { SshError } from '../../../src/engine/ssh.ts'

const FAILURE = { operation: 'containers.start', isTimeout: false, isAborted: false } as const
const ID = 'f470eee47fb4beee45b3b8fda02b61f5d83e744ab99d1c341c3bb4e756e2ba33'
const RUNC = 'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: '

function answered (status: number, message: string): EngineResponseError {
  return new EngineResponseError(status, JSON.stringify({ message }), { message }, { method: 'POST', path: '/v1.41/containers/x/start' }, [])
}

/** Word for word as Docker 20.10 said them, those of newer engines from moby's source, those of Podman 4.3 as it said them. */
const SENTENCES: ReadonlyArray<[number, string, ErrorCode]> = [
  [500, 'driver failed programming external connectivity on endpoint wtep (c31d): Bind for 127.0.0.1:32774 failed: port is already allocated', 'port_conflict'],
  [500, 'driver failed programming external connectivity on endpoint wtep2 (4f62): Error starting userland proxy: listen tcp4 127.0.0.1:28731: bind: address already in use', 'port_conflict'],
  [500, 'failed to set up container networking: driver failed programming external connectivity on endpoint x (1): failed to bind host port for 127.0.0.1:80:172.17.0.2:80/tcp: address already in use', 'port_conflict'],
  [500, 'driver failed programming external connectivity on endpoint wtep3 (d87a): Error starting userland proxy: listen tcp4 203.0.113.9:32777: bind: cannot assign requested address', 'engine_refused'],

  [409, `Conflict. The container name "/wte1" is already in use by container "${ID}". You have to remove (or rename) that container to be able to reuse that name.`, 'name_conflict'],
  [409, `Error when allocating new name: Conflict. The container name "/wten" is already in use by container "${ID}". You have to remove (or rename) that container to be able to reuse that name.`, 'name_conflict'],
  [500, `creating container storage: the container name "x" is already in use by ${ID}. You have to remove that container to be able to reuse that name: that name is already in use`, 'name_conflict'],

  [409, `You cannot remove a running container ${ID}. Stop the container before attempting removal or force remove`, 'container_running'],
  [409, 'cannot remove container "/x": container is running: stop the container before removing or force remove', 'container_running'],
  [409, `You cannot remove a paused container ${ID}. Unpause and then stop the container before attempting removal or force remove`, 'container_paused'],
  [409, 'Container wte1 is paused, unpause the container before exec', 'container_paused'],
  [409, 'cannot start a paused container, try unpause instead', 'container_paused'],
  [409, `Container ${ID} is already paused`, 'container_paused'],
  [500, `Container ${ID} is not paused`, 'engine_conflict'],
  [409, `Container ${ID} is not running`, 'container_not_running'],
  [409, `Cannot kill container: wte1: Container ${ID} is not running`, 'container_not_running'],
  [409, `Container ${ID} is restarting, wait until the container is running`, 'container_not_running'],
  [409, 'removal of container x is already in progress', 'engine_conflict'],
  [409, 'conflict: unable to remove repository reference "a:t" (must force) - container f470eee47fb4 is using its referenced image 9a24caf113ff', 'image_in_use'],

  [400, `${RUNC}exec: "nosuch": executable file not found in $PATH: unknown`, 'invalid_command'],
  [400, `${RUNC}exec: "/nosuch": stat /nosuch: no such file or directory: unknown`, 'invalid_command'],
  [400, `${RUNC}exec: "/bin": permission denied: unknown`, 'invalid_command'],
  [400, `${RUNC}exec: "/app": exec format error: unknown`, 'invalid_command'],
  [400, 'No command specified', 'invalid_command'],
  [500, 'unable to find user nobody-x: no matching entries in passwd file', 'engine_refused'],
  [400, 'the working directory \'rel\' is invalid, it needs to be an absolute path', 'engine_refused'],

  [500, 'invalid volume specification: \'/a:b\': invalid mount config for type "bind": invalid mount path: \'b\' mount path must be absolute', 'invalid_volume'],
  [500, 'invalid mode: zz', 'invalid_volume'],
  [400, 'create a b: "a b" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path', 'invalid_volume'],
  [400, 'Duplicate mount point: /b', 'invalid_volume'],
  [400, 'invalid mount config for type "bind": bind source path does not exist: /nonexist-x', 'invalid_volume'],
  [400, `${RUNC}error during container init: error mounting "/etc/passwd" to rootfs at "/bin": mount /etc/passwd:/bin (via /proc/self/fd/6), flags: 0x5000: not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type`, 'invalid_volume'],

  [404, 'network nonet not found', 'network_not_found'],
  [404, 'unable to find network with name or ID nope: network not found', 'network_not_found'],
  [404, 'image with reference a:t was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64', 'platform_unavailable'],
  [404, 'page not found', 'engine_error'],
  [404, 'get nope: no such volume', 'engine_refused'],

  [501, 'configured logging driver does not support reading', 'logs_unavailable'],
  [400, 'Minimum memory limit allowed is 6MB', 'engine_refused'],
  [403, 'authorization denied by plugin opa: no', 'engine_refused'],
  [500, 'something else', 'engine_error']
]

await t.test('the engine\'s sentences have a code and reach the caller unchanged', async (t) => {
  for (const [status, sentence, code] of SENTENCES) {
    const error = translateEngineError(answered(status, sentence), FAILURE)
    t.equal(error.code, code, sentence)
    t.equal(error.message, sentence)
    t.equal(engineStatus(error), status)
  }
})

await t.test('a 404 means what the operation says', async (t) => {
  const cases: Array<[string, ErrorCode]> = [
    ['No such container: paused', 'container_not_found'],
    ['no container with name or ID "nope" found: no such container', 'container_not_found'],
    ['No such image: nope/nope:1', 'image_not_local'],
    ['no such image: docker.io/nope/nope:1: image not known', 'image_not_local']
  ]
  for (const [sentence, notFound] of cases) {
    t.equal(translateEngineError(answered(404, sentence), { ...FAILURE, notFound }).code, notFound, sentence)
  }
  t.equal(translateEngineError(answered(404, 'network x not found'), { ...FAILURE, notFound: 'image_not_local' }).code, 'network_not_found', 'unless the sentence names something else')
})

await t.test('304 can be told from a failure', async (t) => {
  const error = translateEngineError(new EngineResponseError(304, '', undefined, { method: 'POST', path: '/containers/x/start' }, []), FAILURE)
  t.equal(engineStatus(error), 304)
  t.equal(engineStatus(new Error('x')), undefined)
})

/** What Docker 20.10 said while it pulled from Debian's registry and from one that failed on purpose; the rest from containerd and Docker Hub. */
const REGISTRY_SENTENCES: ReadonlyArray<[number, string, ErrorCode]> = [
  [404, 'manifest for 127.0.0.1:28741/nope:x not found: manifest unknown: manifest unknown', 'image_not_found'],
  [404, 'pull access denied for nope, repository does not exist or may require \'docker login\': denied: requested access to the resource is denied', 'image_not_found'],
  [404, 'failed to resolve reference "docker.io/library/nope:x": docker.io/library/nope:x: not found', 'image_not_found'],
  [400, 'invalid reference format: repository name must be lowercase', 'image_not_found'],
  [500, 'Head "http://127.0.0.1:28742/v2/a/manifests/t": no basic auth credentials', 'registry_auth'],
  [500, 'unauthorized: authentication required', 'registry_auth'],
  [500, 'denied', 'registry_auth'],
  [500, 'unauthorized', 'registry_auth'],
  [500, 'toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit', 'rate_limited'],
  [500, 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused', 'registry_unreachable'],
  [500, 'Get "https://nohost.invalid/v2/": dial tcp: lookup nohost.invalid on 127.0.0.1:53: no such host', 'registry_unreachable'],
  [500, 'Get "https://registry.example/v2/": net/http: TLS handshake timeout', 'registry_unreachable'],
  [500, 'Get "https://registry.example/v2/": x509: certificate signed by unknown authority', 'registry_unreachable'],
  [500, 'received unexpected HTTP status: 500 Internal Server Error', 'registry_unreachable'],
  [404, 'no matching manifest for linux/arm64/v8 in the manifest list entries', 'platform_unavailable'],
  [500, 'write /var/lib/docker/tmp/x: no space left on device', 'disk_full']
]

await t.test('a pull fails with what the registry said, also within the 200 stream', async (t) => {
  const pull = { ...FAILURE, operation: 'images.pull', notFound: 'image_not_found' } as const
  for (const [status, sentence, code] of REGISTRY_SENTENCES) {
    t.equal(translateEngineError(answered(status, sentence), pull).code, code, sentence)
    t.equal(translateEngineError(new Error(sentence), pull).code, code, 'in the stream')
  }
})

await t.test('what is translated already stays; time and the caller come before the cause', async (t) => {
  const own = new DockApiError('no_port', 'x')
  t.equal(translateEngineError(own, FAILURE), own)
  t.match(translateEngineError(new Error('x'), { ...FAILURE, isTimeout: true }), { code: 'engine_timeout', message: /containers\.start/ })
  t.match(translateEngineError(new Error('x'), { ...FAILURE, isTimeout: true, isAborted: true }), { code: 'client_gone' })
  t.match(translateEngineError(new TypeError('x is not a function'), FAILURE), { code: 'engine_error' }, 'a mistake of ours is not taken for an engine that is away')
})

await t.test('a connection that fails says why and what to do', async (t) => {
  const unix: Endpoint = { kind: 'unix', address: '/nope/docker.sock', description: 'unix:///nope/docker.sock (DOCKER_HOST)', alternatives: ['/run/user/1000/docker.sock'] }
  const tls: Endpoint = { kind: 'tls', address: 'h:2376', host: 'h', port: 2376, tls: { isVerified: true }, description: 'tcp://h:2376 (DOCKER_HOST, TLS)' }
  const cases: Array<[Endpoint, string, string, RegExp, RegExp]> = [
    [unix, 'ENOENT', 'connect ENOENT', /\/nope\/docker\.sock does not exist/, /Start Docker.*\/run\/user\/1000/],
    [unix, 'ECONNREFUSED', 'connect ECONNREFUSED', /no engine listens/, /Start Docker/],
    [unix, 'EACCES', 'connect EACCES', /may not open/, /group/],
    [unix, 'ECONNRESET', 'socket hang up', /ended before the answer/, /restarting/],
    [tls, 'ECONNREFUSED', 'connect ECONNREFUSED', /nothing listens/, /host and port/],
    [tls, 'ENOTFOUND', 'getaddrinfo ENOTFOUND h', /host name is not known/, /compose/],
    [tls, 'ETIMEDOUT', 'connect ETIMEDOUT', /does not answer/, /firewall/],
    [tls, 'CERT_HAS_EXPIRED', 'certificate has expired', /expired/, /Renew/],
    [tls, 'SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain', /nobody that is trusted/, /ca\.pem/],
    [tls, 'ERR_TLS_CERT_ALTNAME_INVALID', 'Hostname/IP does not match', /another host name/, /subjectAltName/],
    [tls, 'ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number', /does not speak TLS/, /2376/],
    [tls, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tlsv13 alert certificate required', /refused this client/, /cert\.pem/],
    [tls, 'HPE_INVALID_CONSTANT', 'Parse Error: Expected HTTP/', /does not speak HTTP/, /DOCKER_TLS_VERIFY/]
  ]
  for (const [endpoint, code, message, because, hint] of cases) {
    const error = translateEngineError(Object.assign(new Error(message), { code }), { ...FAILURE, endpoint })
    t.equal(error.code, 'engine_unavailable', code)
    t.match(error.message, because, code)
    t.match(error.message, endpoint.description)
    t.match(error.hint, hint, code)
    t.ok((error.retryAfterSeconds ?? 0) > 0)
  }
})

await t.test('what ssh says is passed on with a hint', async (t) => {
  const endpoint: Endpoint = { kind: 'ssh', address: 'h:22', host: 'h', port: undefined, user: 'ann', socket: undefined, description: 'ssh://ann@h (DOCKER_HOST)' }
  const cases: Array<[string, RegExp]> = [
    ['Host key verification failed.', /accept the host's key/],
    ['ann@h: Permission denied (publickey,password).', /ssh-agent/],
    ['ssh: Could not resolve hostname h: Name or service not known', /host in DOCKER_HOST/],
    ['ssh: connect to host h port 22: Connection refused', /sshd/],
    ['bash: line 1: docker: command not found', /Install the docker CLI/],
    ['ssh cannot be started: spawn ssh ENOENT', /OpenSSH client/],
    ['failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: permission denied', /group "docker"/],
    ['failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: connection refused', /Start Docker on that host/],
    ['Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?', /Start Docker on that host/]
  ]
  for (const [said, hint] of cases) {
    const error = translateEngineError(new SshError(said), { ...FAILURE, endpoint })
    t.match(error, { code: 'engine_unavailable', hint })
    t.match(error.message, said.replace(/\.$/, ''))
  }
})

await t.test('a socket proxy\'s refusal names the switch; a page never reaches the caller', async (t) => {
  const page = '<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>'
  const refused = translateEngineError(new EngineResponseError(403, page, undefined, { method: 'POST', path: '/v1.41/containers/create' }, ['POST']), FAILURE)
  t.match(refused, { code: 'feature_disabled', message: /POST on \/containers.*POST is off/, hint: /POST=1/ })
  t.notMatch(refused.message, /html/)

  const away = translateEngineError(new EngineResponseError(503, '<html>503 Service Unavailable</html>', undefined, { method: 'GET', path: '/x' }, []), FAILURE)
  t.match(away, { code: 'engine_unavailable', hint: /behind the socket proxy/ })
  const plain = translateEngineError(new EngineResponseError(400, 'Client sent an HTTP request to an HTTPS server.\n', undefined, { method: 'GET', path: '/x' }, []), FAILURE)
  t.match(plain, { code: 'engine_unavailable', hint: /DOCKER_TLS_VERIFY/ })
  t.notMatch(translateEngineError(new EngineResponseError(500, page, undefined, { method: 'GET', path: '/x' }, []), FAILURE).message, /html/)
})
