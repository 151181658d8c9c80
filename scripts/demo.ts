import { parseArgs } from 'node:util'
import type { Engine } from '../src/engine/engine.ts'
import { isDockApiError } from '../src/errors.ts'
import { listDemoCalls, renderCurl, renderPowerShell } from './demo-calls.ts'
import { buildDemoImage } from './demo-image.ts'
import { findOrStartEngine } from './engine.ts'
import { describeFailure, Failure, indent } from './failure.ts'
import { aborted, createInterruption } from './interruption.ts'
import { step } from './progress.ts'
import { startServer } from './server.ts'

type Container = { id: string, urls: { path: string, direct: string | null } }
type Problem = { detail?: string, hint?: string }

/** The label of the demo's container; its value is the container's name. */
const LABEL = 'dockapi-demo'
const REQUEST_TIMEOUT_MS = 60_000

process.exitCode = await main()

async function main (): Promise<number> {
  const interruption = createInterruption()
  try {
    await demo(readOptions(), interruption)
    return 0
  } catch (error) {
    if (interruption.aborted) return 130
    console.error(`\n${describeFailure(error)}`)
    return 1
  }
}

type Options = { once: boolean, name: string }

/** `--once` ends after the check; `--name` lets a second demo run beside the first. */
function readOptions (): Options {
  try {
    return parseArgs({ options: { once: { type: 'boolean', default: false }, name: { type: 'string', default: 'hello-dockapi' } } }).values
  } catch (error) {
    throw new Failure((error as Error).message.split('\n')[0]!, 'npm run demo -- [--once] [--name NAME]', error)
  }
}

async function demo ({ once: isOnce, name }: Options, interruption: AbortSignal): Promise<void> {
  console.log('\n  dockAPI demo\n')
  await using cleanup = new AsyncDisposableStack()

  const found = await step('engine', (say) => findOrStartEngine(say, interruption), ({ description }) => description)
  cleanup.defer(async () => { if (await found.close()) console.log(indent('engine     stopped')) })
  const image = await step('image', (say) => buildDemoImage(found.engine, say, interruption), (image) => `${image} is built`)
  const server = await step('server', (say) => startServer(found.environment, say, interruption), ({ origin }) => `listens on ${origin}`)
  cleanup.defer(async () => { await server.stop(); console.log(indent('server     stopped')) })

  await removeContainer(found.engine, name)
  cleanup.defer(async () => { if (await removeContainer(found.engine, name)) console.log(indent('container  removed')) })
  const container = await step('container', () => runContainer(server.origin, image, name, interruption), () => `${name} runs and is ready`)
  const url = new URL(container.urls.path, server.origin).href
  await step('proxy', () => checkProxy(url, container.id, interruption), (bytes) => `GET ${url} answered 200 with ${bytes} bytes`)

  printInvitation(server.origin, url, container.urls.direct, image, name)
  if (isOnce) return
  console.log('  Ctrl+C ends the demo and removes its container.\n')
  await Promise.race([aborted(interruption), server.ended])
  if (!interruption.aborted) throw new Failure('The server ended by itself.')
}

async function runContainer (origin: string, image: string, name: string, signal: AbortSignal): Promise<Container> {
  const body = { image, name, container_port: 8080, wait_ready: true, health_path: '/healthz', labels: { [LABEL]: name } }
  const response = await request(`${origin}/containers/run`, signal, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  const answer = await response.json() as Container & Problem
  if (response.status !== 201) throw new Failure(`POST /containers/run answered ${response.status}: ${answer.detail ?? 'no reason given'}`, answer.hint)
  return answer
}

/** Fetches the page through the proxy, and makes sure that it is this very container that answers. Returns the page's size. */
async function checkProxy (url: string, id: string, signal: AbortSignal): Promise<number> {
  const page = await request(url, signal)
  const text = await page.text()
  if (page.status !== 200) throw new Failure(`GET ${url} answered ${page.status}.`, text)
  const { hostname } = await (await request(new URL('cgi-bin/request', url).href, signal)).json() as { hostname: string }
  if (!id.startsWith(hostname)) throw new Failure(`${url} is answered by ${hostname}, not by the container ${id.slice(0, 12)}.`)
  return Buffer.byteLength(text)
}

async function request (url: string, signal: AbortSignal, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]) })
  } catch (error) {
    const { message, cause } = error as Error
    throw new Failure(`${url} did not answer: ${cause instanceof Error ? cause.message : message}`, '', error)
  }
}

/** Removes the container of this or an earlier demo; one of the same name that the demo did not make is not touched. */
async function removeContainer (engine: Engine, name: string): Promise<boolean> {
  try {
    return await engine.call('demo.removeContainer', async (docker, signal) => {
      const found = await docker.listContainers({ all: true, filters: { label: [`${LABEL}=${name}`] }, abortSignal: signal })
      for (const { Id } of found) await docker.getContainer(Id).remove({ force: true, v: true, abortSignal: signal })
      return found.length > 0
    })
  } catch (error) {
    if (isDockApiError(error)) throw new Failure(`The demo's container could not be removed: ${error.message}`, `docker rm --force ${name}`, error)
    throw error
  }
}

function printInvitation (origin: string, url: string, direct: string | null, image: string, name: string): void {
  const calls = listDemoCalls(image, name)
  const list = (render: (origin: string, call: typeof calls[number]) => string) =>
    calls.map((call) => `  # ${call.title}\n  ${render(origin, call)}`).join('\n')
  console.log(`
  Open      ${url}
  API docs  ${origin}/docs${direct === null ? '' : `\n  Directly  ${direct}`}

  Try it in a shell:

${list(renderCurl)}

  or in PowerShell:

${list(renderPowerShell)}
`)
}
