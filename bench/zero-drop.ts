import { Agent, request as sendRequest } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type Docker from 'dockerode'
import { TEST_LABELS, TEST_RUN, engineFromEnvironment, nodeImage, removeTestResources } from '../test/support/engine.ts'
import { until } from '../test/support/until.ts'
import { createCleanup, listenGatewayApp } from './support/gateway-app.ts'

/**
 * Requests that fail while things change under load, by scenario: `node bench/zero-drop.ts`. GET and POST on kept connections go to a service of
 * several replicas all the time. Exit code 1 when one failed.
 */
const CLIENTS = 6
const SETTLE_MS = 300
/** Answers after two milliseconds; on SIGTERM it finishes what it has begun. */
const APPLICATION = `
const server = require('http').createServer((request, response) => { request.resume(); setTimeout(() => response.end(process.env.HOSTNAME), 2) }).listen(8080)
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections(); setTimeout(() => process.exit(0), 3000) })`
const NAME = `drop${process.pid}`
const HOST = `${NAME}.localhost`
/** Connections that had an answer before. Node's `reusedSocket` does not tell of those that an agent hands to a request that waited. */
const used = new WeakSet<Socket>()

const engine = engineFromEnvironment()
const cleanup = createCleanup()
const image = await nodeImage(engine)
let failures = 0

try {
  const { app, api, port } = await listenGatewayApp()
  let isClosed = false
  cleanup.test.after(async () => { if (!isClosed) await app.close() })
  const call = async (method: string, path: string, body?: object) => {
    const answer = await fetch(api + path, { method, ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }) })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }
  await call('POST', '/containers/run', { image, command: ['node', '-e', APPLICATION], container_port: 8080, name: NAME, wait_ready: true, labels: TEST_LABELS, init: true })
  await call('PUT', `/containers/${NAME}/replicas`, { replicas: 3, wait_ready: true })
  const up = () => app.gateway.routes().find(({ name }) => name === NAME)?.upstreams.filter(({ state }) => state === 'up').length
  await until(() => up() === 3)

  const scenario = async (what: string, change: () => Promise<void>) => {
    const load = startLoad(port)
    await delay(SETTLE_MS)
    await change()
    await delay(SETTLE_MS)
    const { total, failed } = await load.end()
    const count = Object.values(failed).reduce((sum, each) => sum + each, 0)
    failures += count
    console.log(`${what.padEnd(58)} ${String(total).padStart(7)} requests, ${count} failed${count === 0 ? '' : ` ${JSON.stringify(failed)}`}`)
  }

  await scenario('replicas join (3 to 5) and leave (5 to 2)', async () => {
    await call('PUT', `/containers/${NAME}/replicas`, { replicas: 5, wait_ready: true })
    await call('PUT', `/containers/${NAME}/replicas`, { replicas: 2 })
  })
  await scenario('one of two is stopped and started through the API', async () => {
    await call('POST', `/containers/${NAME}-2/stop`)
    await call('POST', `/containers/${NAME}-2/start?wait_ready=true`)
    await until(() => up() === 2)
  })
  await scenario('one of two is restarted through the API', async () => {
    await call('POST', `/containers/${NAME}-2/restart`)
    await until(() => up() === 2)
  })
  await scenario('docker stop and docker start of one of two', async () => {
    await onEngine((docker) => docker.getContainer(`${NAME}-2`).stop({ t: 10 }))
    await onEngine((docker) => docker.getContainer(`${NAME}-2`).start())
    await until(() => up() === 2)
  })
  await scenario('docker restart of one of two', async () => {
    await onEngine((docker) => docker.getContainer(`${NAME}-2`).restart({ t: 10 }))
    await until(() => up() === 2)
  })
  await scenario('one of two is removed through the API', async () => { await call('DELETE', `/containers/${NAME}-2?force=true`) })
  await scenario('200 changes of routes', async () => {
    for (let count = 0; count < 50; count++) {
      await call('POST', '/routes', { name: `r${count}`, rule: `Host(\`r${count}.localhost\`)`, service: NAME })
      await call('PUT', `/routes/${NAME}@docker/override`, { priority: count + 1 })
      await call('DELETE', `/routes/r${count}@api`)
      await call('POST', `/routes/${NAME}@docker/undo`)
    }
  })
  await scenario('dockAPI itself ends: what was sent is answered', async () => {
    isClosed = true
    await app.close()
  })
  if (failures > 0) process.exitCode = 1
} finally {
  await cleanup.run()
  await removeTestResources(engine, TEST_RUN)
  await engine.close()
}

function onEngine<T> (call: (docker: Docker) => Promise<T>): Promise<T> {
  return engine.call('bench', call, { timeoutMs: 60_000 })
}

/** Sends requests one after the other until it is told to end. One that finds nobody listening was never sent: the last scenario ends so. */
function startLoad (port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  const over = new AbortController()
  const failed: Record<string, number> = {}
  let total = 0
  const clients = Array.from({ length: CLIENTS }, async (_, index) => {
    while (!over.signal.aborted) {
      const outcome = await send(port, agent, index % 2 === 0 ? 'GET' : 'POST')
      if (outcome === 'ECONNREFUSED') return
      total++
      if (outcome !== '200') failed[outcome] = (failed[outcome] ?? 0) + 1
    }
  })
  return {
    async end () {
      over.abort()
      await Promise.all(clients)
      agent.destroy()
      return { total, failed }
    }
  }
}

function send (port: number, agent: Agent, method: 'GET' | 'POST'): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const outgoing = sendRequest({ host: '127.0.0.1', port, agent, method, headers: { host: HOST } }, (answer) => {
    const { socket } = answer
    answer.resume().on('end', () => { used.add(socket); resolve(String(answer.statusCode)) }).on('error', (error) => { resolve(error.message) })
  })
  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    // A kept connection that the server closed while idle: nothing of this request was taken, and a client sends it again (RFC 9112 9.3.1).
    if (outgoing.socket !== null && used.has(outgoing.socket) && error.code === 'ECONNRESET') send(port, agent, method).then(resolve, resolve)
    else resolve(error.code ?? error.message)
  })
  outgoing.end(method === 'POST' ? 'body' : undefined)
  return promise
}
