import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Engine } from '../src/engine/engine.ts'
import { busyboxImage, nodeImage, removeTestResources } from '../test/support/engine.ts'
import { findOrStartEngine } from './engine.ts'
import { describeFailure, Failure, indent } from './failure.ts'
import { createInterruption } from './interruption.ts'
import { step } from './progress.ts'
import { provideTestNeeds } from './test-needs.ts'
import { countResults, describeCounts } from './test-results.ts'

const TAP = fileURLToPath(new URL('../node_modules/tap/dist/esm/run.mjs', import.meta.url))
const TAP_CONFIG = fileURLToPath(new URL('../.taprc', import.meta.url))
/** Says for which configuration tap was built; an install takes it away with the rest of node_modules. */
const TAP_BUILT = fileURLToPath(new URL('../node_modules/.cache/dockapi/taprc', import.meta.url))
const RESULTS = fileURLToPath(new URL('../.tap/results.tap', import.meta.url))

process.exitCode = await main()

async function main (): Promise<number> {
  const interruption = createInterruption()
  try {
    const { code, output } = await test(process.argv.slice(2), interruption)
    console.log(`\n${describeCounts(countResults(output, code))}`)
    return code
  } catch (error) {
    if (interruption.aborted) return 130
    console.error(`\n${describeFailure(error)}\n\n${describeCounts(countResults('', 1))}`)
    return 1
  }
}

/** Gives the tests what they need and runs them. Everything after `--` of `npm test -- …` goes to tap. */
async function test (args: readonly string[], interruption: AbortSignal): Promise<{ code: number, output: string }> {
  await using cleanup = new AsyncDisposableStack()
  const run = randomBytes(4).toString('hex')

  await step('programs', provideTestNeeds, (summary) => summary)
  const found = await step('engine', (say) => findOrStartEngine(say, interruption), ({ description }) => description)
  cleanup.defer(async () => { if (await found.close()) console.log(indent('engine     stopped')) })
  cleanup.defer(() => removeTestResources(found.engine, run))
  await step('images', () => prepareImages(found.engine), (images) => images.join(', '))

  await step('tap', () => buildTap(interruption), () => 'is ready')
  await rm(RESULTS, { force: true })
  const files = await Promise.all(args.map(expandFolder))
  const environment = { ...found.environment, DOCKAPI_TEST_RUN: run }
  const code = process.stdout.isTTY
    ? await runTap([`--output-file=${RESULTS}`, ...files], environment, interruption)
    : await runTap(['--reporter=tap', ...files], environment, interruption, tellFilesOnly)
  interruption.throwIfAborted()
  return { code, output: await readFile(RESULTS, 'utf8').catch(() => '') }
}

/** Made before the tests, which run side by side and would make them at the same time. */
async function prepareImages (engine: Engine): Promise<string[]> {
  return [await busyboxImage(engine), await nodeImage(engine)]
}

/** After an install, tap has to be told once which plugins `.taprc` leaves out; its runner does so only when it is too late. */
async function buildTap (interruption: AbortSignal): Promise<void> {
  const config = await readFile(TAP_CONFIG, 'utf8')
  if (await readFile(TAP_BUILT, 'utf8').catch(() => '') === config) return
  if (await runTap(['build'], {}, interruption) !== 0) throw new Failure('tap could not be built.', 'rm -rf node_modules .tap && npm ci')
  await mkdir(dirname(TAP_BUILT), { recursive: true })
  await writeFile(TAP_BUILT, config)
}

async function runTap (args: readonly string[], environment: Record<string, string>, interruption: AbortSignal, tell?: (output: Readable) => Promise<void>): Promise<number> {
  const child = spawn(process.execPath, [TAP, ...args], { env: { ...process.env, ...environment }, stdio: ['inherit', tell === undefined ? 'inherit' : 'pipe', 'inherit'] })
  const stop = () => child.kill('SIGTERM')
  interruption.addEventListener('abort', stop)
  const [[code]] = await Promise.all([once(child, 'close') as Promise<[number | null]>, child.stdout === null ? undefined : tell?.(child.stdout)])
  interruption.removeEventListener('abort', stop)
  return code ?? 1
}

/** Where nobody watches: a line for each file of tests, the whole protocol of one that failed, and everything in the results file. */
async function tellFilesOnly (output: Readable): Promise<void> {
  await mkdir(dirname(RESULTS), { recursive: true })
  const results = createWriteStream(RESULTS)
  let file: string[] = []
  for await (const line of createInterface({ input: output, crlfDelay: Infinity })) {
    results.write(`${line}\n`)
    file.push(line)
    const verdict = /^(not )?ok \d+ - /.exec(line)
    if (verdict === null) continue
    console.log(verdict[1] === undefined ? line : file.join('\n'))
    file = []
  }
  results.end()
  await once(results, 'finish')
}

/** tap takes files and patterns; a folder stands for the tests in it. */
async function expandFolder (arg: string): Promise<string> {
  const isFolder = await stat(arg).then((stats) => stats.isDirectory(), () => false)
  return isFolder ? `${arg.replace(/\/+$/, '')}/**/*.test.ts` : arg
}
