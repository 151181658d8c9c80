/**
 * Server start to first answer, the processor's time until then, and memory when idle: medians of several starts, from the sources or of
 * another program (dist/main.js after `npm run build`).
 *
 *     node bench/start.ts [starts] [program]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const starts = Number(process.argv[2] ?? 7)
const IDLE_MS = 3_000
/** Of the fields that Linux counts processor time in. */
const TICK_MS = 10
const MAIN = process.argv[3] ?? fileURLToPath(new URL('../src/main.ts', import.meta.url))

const bare: number[] = []
const answers: number[] = []
const processorTimes: number[] = []
const megabytes: number[] = []
for (let index = 0; index < starts; index++) {
  bare.push(await timeBareNode())
  const { answerMs, processorMs, idleMegabytes } = await startOnce()
  answers.push(answerMs)
  processorTimes.push(processorMs)
  megabytes.push(idleMegabytes)
}
console.log(`start to first answer: ${median(answers).toFixed(0)} ms (an empty node program: ${median(bare).toFixed(0)} ms), ${median(processorTimes).toFixed(0)} ms of the processor; idle memory ${median(megabytes).toFixed(0)} MiB; median of ${starts}`)

async function timeBareNode (): Promise<number> {
  const startMs = performance.now()
  await once(spawn(process.execPath, ['-e', '0']), 'exit')
  return performance.now() - startMs
}

async function startOnce () {
  const startMs = performance.now()
  const child = spawn(process.execPath, [MAIN, '--port', '0', '--log-level', 'silent', '--data-dir', 'memory'], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const url = await printedUrl(child.stdout)
    await fetch(`${url}/livez`)
    const answerMs = performance.now() - startMs
    const processorMs = await processorTimeOf(child.pid!)
    await sleep(IDLE_MS)
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
    return { answerMs, processorMs, idleMegabytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024 }
  } finally {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
}

/** User and system time of a process, in milliseconds (proc(5): fields 14 and 15 of `stat`, after the name in parentheses). */
async function processorTimeOf (pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

async function printedUrl (output: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of output) {
    text += String(chunk)
    const url = /dockAPI (http\S+)/.exec(text)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('The server ended before it printed its address.')
}

function median (values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
