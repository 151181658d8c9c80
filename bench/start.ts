/**
 * Server start to first answer, and memory when idle: medians of several starts.
 *
 *     node bench/start.ts [starts]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const starts = Number(process.argv[2] ?? 7)
const IDLE_MS = 3_000
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

const bare: number[] = []
const answers: number[] = []
const megabytes: number[] = []
for (let index = 0; index < starts; index++) {
  bare.push(await timeBareNode())
  const { answerMs, idleMegabytes } = await startOnce()
  answers.push(answerMs)
  megabytes.push(idleMegabytes)
}
console.log(`start to first answer: ${median(answers).toFixed(0)} ms (an empty node program: ${median(bare).toFixed(0)} ms); idle memory ${median(megabytes).toFixed(0)} MiB; median of ${starts}`)

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
    await sleep(IDLE_MS)
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
    return { answerMs, idleMegabytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024 }
  } finally {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
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
