import { PassThrough, Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { AddressInfo } from 'node:net'
import cors from '@fastify/cors'
import httpProxy from '@fastify/http-proxy'
import websocket from '@fastify/websocket'
import Docker from 'dockerode'
import Fastify from 'fastify'

/**
 * The same API as one writes it in an afternoon by the documentation of its parts: Fastify, @fastify/cors, @fastify/websocket, @fastify/http-proxy and
 * dockerode, each in its default settings where the task names none. `plain-stack-server.ts APP APP_PORT CLOSED CLOSED_PORT`: two containers' names and
 * published ports, which it proxies. Forked; says its port to its parent. PLAIN_TOKEN asks for a token, PLAIN_TIMEOUT bounds how long a head may take.
 */
const [application, applicationPort, closed, closedPort] = process.argv.slice(2)
const { PLAIN_TOKEN: token, PLAIN_TIMEOUT: timeout = '60' } = process.env
const timeoutMs = Number(timeout) * 1000

const docker = new Docker()
const app = Fastify({ requestTimeout: timeoutMs, http: { headersTimeout: timeoutMs, connectionsCheckingInterval: timeoutMs / 2 } })
await app.register(cors, { origin: true, credentials: true })
await app.register(websocket)
if (token !== undefined) {
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers.authorization !== `Bearer ${token}`) await reply.code(401).send({ error: 'Unauthorized' })
  })
}
await app.register(httpProxy, { upstream: `http://127.0.0.1:${applicationPort}`, prefix: `/proxy/${application}` })
await app.register(httpProxy, { upstream: `http://127.0.0.1:${closedPort}`, prefix: `/proxy/${closed}` })

type Id = { Params: { id: string } }
type RunBody = {
  image: string
  container_port?: number
  host_port?: number
  name?: string
  env?: Record<string, string>
  command?: string[]
  labels?: Record<string, string>
  auto_remove?: boolean
  volumes?: string[]
  network?: string
  wait_ready?: boolean
  health_path?: string
  wait_timeout?: number
}

const texts = { type: 'array', items: { type: 'string' } }
const map = { type: 'object', additionalProperties: { type: 'string' } }
const runBody = {
  type: 'object',
  required: ['image'],
  properties: {
    image: { type: 'string' },
    container_port: { type: 'integer' },
    host_port: { type: 'integer' },
    name: { type: 'string' },
    env: map,
    command: texts,
    labels: map,
    auto_remove: { type: 'boolean' },
    volumes: texts,
    network: { type: 'string' },
    wait_ready: { type: 'boolean' },
    health_path: { type: 'string' },
    wait_timeout: { type: 'number' }
  }
}
const execBody = { type: 'object', required: ['command'], properties: { command: texts } }

app.get('/containers', async () => await docker.listContainers({ all: true }))

app.get<Id>('/containers/:id', async ({ params }) => await docker.getContainer(params.id).inspect())

app.post<{ Body: RunBody }>('/containers/run', { schema: { body: runBody } }, async ({ body }, reply) => {
  const exposed = body.container_port === undefined ? undefined : `${body.container_port}/tcp`
  const container = await docker.createContainer({
    Image: body.image,
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(body.command === undefined ? {} : { Cmd: body.command }),
    Env: Object.entries(body.env ?? {}).map(([name, value]) => `${name}=${value}`),
    Labels: body.labels ?? {},
    ...(exposed === undefined ? {} : { ExposedPorts: { [exposed]: {} } }),
    HostConfig: {
      ...(exposed === undefined ? {} : { PortBindings: { [exposed]: [{ HostIp: '127.0.0.1', HostPort: String(body.host_port ?? '') }] } }),
      AutoRemove: body.auto_remove ?? false,
      Binds: body.volumes ?? [],
      ...(body.network === undefined ? {} : { NetworkMode: body.network })
    }
  })
  await container.start()
  const { Id: id, Name: name, NetworkSettings: { Ports: ports } } = await container.inspect()
  const hostPort = exposed === undefined ? undefined : ports[exposed]?.[0]?.HostPort
  if (body.wait_ready === true && body.health_path !== undefined) {
    const isReady = await answers(`http://127.0.0.1:${hostPort}${body.health_path}`, body.wait_timeout ?? 30)
    if (!isReady) return await reply.code(504).send({ id, error: 'Not ready in time' })
  }
  return await reply.code(201).send({ id, name: name.slice(1), image: body.image, host_port: hostPort })
})

app.post<Id & { Body: { command: string[] } }>('/containers/:id/exec', { schema: { body: execBody } }, async ({ params, body }) => {
  const exec = await docker.getContainer(params.id).exec({ Cmd: body.command, AttachStdout: true, AttachStderr: true })
  const [stdout, stderr] = await gather(await exec.start({}))
  const { ExitCode: exitCode } = await exec.inspect()
  return { id: params.id, exit_code: exitCode, stdout, stderr }
})

app.get<Id & { Querystring: { command?: string } }>('/containers/:id/exec', { websocket: true }, async (socket, { params, query }) => {
  const exec = await docker.getContainer(params.id).exec({ Cmd: [query.command ?? 'sh'], AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: true })
  const stream = await exec.start({ hijack: true, stdin: true })
  socket.on('message', (message: Buffer) => { stream.write(message) })
  socket.on('close', () => { stream.end() })
  stream.on('data', (chunk: Buffer) => { socket.send(chunk) })
  stream.on('end', () => { socket.close() })
})

app.get<Id & { Querystring: { follow?: string, tail?: number } }>('/containers/:id/logs', async ({ params, query }, reply) => {
  const options = { stdout: true, stderr: true, tail: query.tail ?? 200 }
  const container = docker.getContainer(params.id)
  const log = query.follow === 'true' ? await container.logs({ ...options, follow: true }) as unknown as Readable : Readable.from(await container.logs({ ...options, follow: false }))
  const output = new PassThrough()
  container.modem.demuxStream(log, output, output)
  log.on('end', () => { output.end() })
  output.on('close', () => { log.destroy() })
  return await reply.type('text/plain').send(output)
})

app.post<Id>('/containers/:id/stop', async ({ params }) => {
  await docker.getContainer(params.id).stop()
  return { id: params.id, status: 'stopped' }
})

app.delete<Id & { Querystring: { force?: string } }>('/containers/:id', async ({ params, query }) => {
  await docker.getContainer(params.id).remove({ force: query.force === 'true' })
  return { id: params.id, removed: true }
})

await app.listen({ host: '127.0.0.1', port: 0 })
process.once('disconnect', async () => {
  await app.close()
  process.exit()
})
process.send!((app.server.address() as AddressInfo).port)

/** What a command wrote, when it has ended. */
async function gather (stream: NodeJS.ReadableStream): Promise<string[]> {
  const outputs = [new PassThrough(), new PassThrough()]
  docker.modem.demuxStream(stream, outputs[0]!, outputs[1]!)
  stream.on('end', () => { for (const output of outputs) output.end() })
  return await Promise.all(outputs.map(async (output) => Buffer.concat(await output.toArray() as Buffer[]).toString()))
}

async function answers (url: string, seconds: number): Promise<boolean> {
  const deadline = Date.now() + seconds * 1000
  while (Date.now() < deadline) {
    const response = await fetch(url).catch(() => undefined)
    if (response?.ok === true) return true
    await delay(250)
  }
  return false
}
