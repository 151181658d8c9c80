import { statSync } from 'node:fs'
import { DockApiError } from '../errors.ts'
import type { Endpoint } from './endpoint.ts'

/** How long a caller should wait before it asks again, in seconds. */
const RETRY_AFTER_SECONDS = 2

type Explanation = { because: string, hint: string }

/** Says why no answer came from the engine, and what to do, by the cause that node, OpenSSL or ssh names. */
export function explainUnavailable (error: unknown, endpoint: Endpoint | undefined): DockApiError {
  const where = endpoint === undefined ? 'the engine' : `the engine at ${endpoint.description}`
  const { because, hint } = explain(error as NodeJS.ErrnoException, endpoint)
  return new DockApiError('engine_unavailable', `Cannot reach ${where}: ${because}.`, { hint, retryAfterSeconds: RETRY_AFTER_SECONDS, cause: error })
}

function explain (error: NodeJS.ErrnoException, endpoint: Endpoint | undefined): Explanation {
  const { code = '', message } = error
  if (code === 'ESSH') return explainSsh(message)
  if (endpoint?.kind === 'unix' || endpoint?.kind === 'npipe') {
    const explanation = explainSocket(code, endpoint.address, endpoint.alternatives)
    if (explanation !== undefined) return explanation
  }
  return CAUSES.find(([pattern]) => pattern.test(`${code} ${message}`))?.[1] ??
    { because: message || code, hint: 'Check that this is the address of a Docker engine and that it runs.' }
}

/** By node's code and message; OpenSSL's names are those of `man x509_verify_cert_error_string`. First match wins. */
const CAUSES: ReadonlyArray<readonly [RegExp, Explanation]> = [
  [/^ECONNREFUSED/, { because: 'nothing listens at that address', hint: 'Check host and port of DOCKER_HOST, and that the engine listens on TCP.' }],
  [/^(?:ENOTFOUND|EAI_AGAIN)/, { because: 'the host name is not known', hint: 'Check the host in DOCKER_HOST; in compose it is the name of a service on a network that both share.' }],
  [/^(?:ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)/, { because: 'the host does not answer', hint: 'Check host, port and firewall.' }],
  [/^(?:ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)/, { because: 'the connection ended before the answer was complete', hint: 'The engine may be restarting; try again. An engine that wants TLS needs DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH.' }],
  [/^HPE_/, { because: 'what answers there does not speak HTTP', hint: 'Check the port. An engine that wants TLS needs DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH.' }],
  [/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)/, { because: 'its certificate has expired or is not valid yet', hint: 'Renew the engine\'s certificate, and check the clocks of both machines.' }],
  [/^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED)/, { because: 'nobody that is trusted signed its certificate', hint: 'Put the CA that signed it into ca.pem in DOCKER_CERT_PATH.' }],
  [/^ERR_TLS_CERT_ALTNAME_INVALID/, { because: 'its certificate is for another host name', hint: 'Use a name that the certificate has, or make one with this name or address in subjectAltName.' }],
  [/wrong version number|packet length too long|http request/i, { because: 'it does not speak TLS on this port', hint: 'Unset DOCKER_TLS_VERIFY and DOCKER_TLS, or use the engine\'s TLS port (usually 2376).' }],
  [/\balert\b|_ALERT_/i, { because: 'it refused this client\'s certificate', hint: 'Put cert.pem and key.pem, signed by the CA that the engine trusts, into DOCKER_CERT_PATH.' }],
  [/^(?:ERR_OSSL|ERR_SSL|EPROTO)/, { because: 'TLS failed', hint: 'Check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH; key.pem must belong to cert.pem and have no passphrase.' }]
]

function explainSocket (code: string, path: string, alternatives: string[]): Explanation | undefined {
  const file = statSync(path, { throwIfNoEntry: false })
  switch (code) {
    case 'ENOENT':
      return {
        because: `${path} does not exist`,
        hint: `Start Docker, or set DOCKER_HOST to the engine's address.${alternatives.length === 0 ? '' : ` Looked for it at ${alternatives.join(', ')} too.`}`
      }
    case 'ECONNREFUSED':
      if (file?.isDirectory() === true) {
        return { because: `${path} is a folder`, hint: 'Docker makes an empty folder where a container mounts a socket that does not exist: start the engine first, then the container.' }
      }
      return { because: `no engine listens on ${path}`, hint: 'Start Docker; the socket was left behind by an engine that ended.' }
    case 'EACCES':
    case 'EPERM':
      return {
        because: `this user may not open ${path}`,
        hint: `It belongs to the group with the id ${file?.gid ?? '?'}, usually "docker": add this user (sudo usermod -aG docker NAME) and log in again; for a container, docker run --group-add ${file?.gid ?? 'ID'}.`
      }
    default:
      return undefined
  }
}

function explainSsh (said: string): Explanation {
  const hint = SSH_HINTS.find(([pattern]) => pattern.test(said))?.[1] ?? 'Check that this works in a terminal of this user: ssh HOST docker version.'
  return { because: `ssh says "${said.replace(/[.\s]+$/, '')}"`, hint }
}

const SSH_HINTS: ReadonlyArray<readonly [RegExp, string]> = [
  [/dial unix .*permission denied/i, 'Add the remote user to the group "docker" of that host.'],
  [/dial unix |docker daemon|docker api/i, 'Start Docker on that host.'],
  [/host key verification failed|host identification has changed|authenticity of host/i, 'Connect once by hand (ssh HOST) as this very user, and accept the host\'s key.'],
  [/permission denied \(|too many authentication failures/i, 'Let a key without passphrase or ssh-agent (SSH_AUTH_SOCK) prove this user to the host; no one is there to type a password.'],
  [/could not resolve hostname|name or service not known/i, 'Check the host in DOCKER_HOST, or name it in ~/.ssh/config.'],
  [/connection refused|timed out|no route to host|network is unreachable/i, 'Check host, port and firewall, and that sshd runs there.'],
  [/cannot be started/i, 'Install the OpenSSH client, and let ssh be on the PATH.'],
  [/docker.*not found|not found.*docker|unknown command/i, 'Install the docker CLI (18.09 or newer) on the host, on the PATH of a non-interactive shell.']
]
