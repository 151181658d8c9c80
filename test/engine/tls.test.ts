import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { createServer } from 'node:tls'
import t from 'tap'
import type { Test } from 'tap'
import { createAuthority, hasOpenssl } from '../support/certificates.ts'
import { createChaosSocket, engineAt } from '../support/chaos-socket.ts'

const NAMES = 'IP:127.0.0.1,DNS:localhost'
if (!hasOpenssl()) {
  t.plan(0, 'needs the openssl command (Debian: openssl)')
  process.exit()
}

const folder = t.testdir({})
const authority = await createAuthority(join(folder, 'ca'))
const server = await authority.issue('server', NAMES)
const client = await authority.issue('client', 'DNS:client')

/** TLS before the real engine; a client without a certificate of our authority gets nothing. Returns the port. */
async function createTlsEngine (t: Test, certificates = server): Promise<number> {
  const { path } = await createChaosSocket(t)
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((file) => readFileSync(join(certificates, file))) as [Buffer, Buffer, Buffer]
  const listener = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (socket) => {
    pipeline(socket, connect(path), socket, () => {})
  })
  listener.on('tlsClientError', () => {})
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.after(() => listener.close())
  return (listener.address() as AddressInfo).port
}

await t.test('an engine that wants a client certificate is reached with one', async (t) => {
  const port = await createTlsEngine(t)
  for (const host of ['127.0.0.1', 'localhost']) {
    const engine = engineAt(t, { DOCKER_HOST: `tcp://${host}:${port}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: client })
    t.match(await engine.health(), { ok: true, engine: { endpoint: `tcp://${host}:${port} (DOCKER_HOST, TLS)` } })
    t.type(await engine.call('containers.list', (docker, abortSignal) => docker.listContainers({ abortSignal })), Array)
  }
})

await t.test('without a client certificate the engine refuses, and the error says what is missing', async (t) => {
  const port = await createTlsEngine(t)
  const bare = await authority.issue('bare', NAMES)
  await rm(join(bare, 'cert.pem'))
  await rm(join(bare, 'key.pem'))
  const { ok, engine } = await engineAt(t, { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: bare }).health()
  t.equal(ok, false)
  t.match(engine, { error: /refused this client's certificate/, hint: /cert\.pem and key\.pem/ })
})

await t.test('an engine whose certificate nobody trusted signed is not spoken to', async (t) => {
  const port = await createTlsEngine(t)
  const stranger = await (await createAuthority(join(folder, 'stranger'))).issue('client', 'DNS:client')
  const { ok, engine } = await engineAt(t, { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS: '1', DOCKER_CERT_PATH: stranger }).health()
  t.equal(ok, false, 'also with DOCKER_TLS alone')
  t.match(engine, { error: /nobody that is trusted signed/, hint: /ca\.pem/ })
})

await t.test('a certificate for another host is refused', async (t) => {
  const port = await createTlsEngine(t, await authority.issue('elsewhere', 'DNS:elsewhere.example'))
  const { engine } = await engineAt(t, { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: client }).health()
  t.match(engine, { error: /for another host name/ })
})

await t.test('TLS asked of a plain port, and plain asked of a TLS port, are told apart', async (t) => {
  const port = await createTlsEngine(t)
  const { engine: plain } = await engineAt(t, { DOCKER_HOST: `tcp://127.0.0.1:${port}` }).health()
  t.match(plain, { error: /Cannot reach/, hint: /DOCKER_TLS_VERIFY=1/ })

  const http = createHttpServer((_request, response) => response.end()).listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.after(() => http.close())
  const { engine: tls } = await engineAt(t, { DOCKER_HOST: `tcp://127.0.0.1:${(http.address() as AddressInfo).port}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: client }).health()
  t.match(tls, { error: /does not speak TLS/, hint: /Unset DOCKER_TLS_VERIFY/ })
})
