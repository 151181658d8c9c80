import type { ExecRequest, ExecResult } from '../../schemas/exec.ts'
import type { StreamSource } from '../streams/delivery.ts'
import type { StreamEvent } from '../streams/encoder.ts'
import { collectOutput } from '../streams/output.ts'
import type { Exec } from './exec.ts'
import { createOutputLimit } from './limit.ts'
import { createOutputText } from './text.ts'

type Wishes = Pick<ExecRequest, 'stdin' | 'max_output'>

/** Waits for the end of a command and gives all that it wrote. A non-zero exit is a result, not an error. Closes the command. */
export async function collectCommand (exec: Exec, wishes: Wishes): Promise<ExecResult> {
  try {
    feed(exec, wishes.stdin)
    const { stdout, stderr, truncated } = await collectOutput(exec.output(), wishes.max_output)
    const exitCode = await exec.exitCode()
    return { id: exec.record.containerId, exit_code: exitCode, stdout, stderr: stderr === '' ? null : stderr, ...(truncated ? { truncated } : {}) }
  } catch (error) {
    throw await exec.explain(error)
  } finally {
    await exec.close()
  }
}

/** The same as events: `started`, what it writes as it writes it, `exit`. */
export async function * streamCommand (exec: Exec, wishes: Wishes): StreamSource {
  const limit = createOutputLimit(wishes.max_output)
  const texts = { stdout: createOutputText(), stderr: createOutputText() }
  const names = ['stdout', 'stderr'] as const
  try {
    yield [{ event: 'started', data: { exec_id: exec.record.id } }]
    feed(exec, wishes.stdin)
    for await (const chunk of exec.output()) {
      const events = texts[chunk.output].push(limit.take(chunk)).map((data): StreamEvent => ({ event: chunk.output, data }))
      if (events.length > 0) yield events
    }
    yield names.flatMap((event) => texts[event].flush().map((data): StreamEvent => ({ event, data })))
    yield [{ event: 'exit', data: { exit_code: await exec.exitCode(), ...(limit.isReached ? { truncated: true } : {}) } }]
    return 'complete'
  } catch (error) {
    throw await exec.explain(error)
  } finally {
    await exec.close()
  }
}

function feed ({ record, stdin }: Exec, text: string | undefined) {
  if (text === undefined) return
  record.bytes.stdin += Buffer.byteLength(text)
  stdin.end(text)
}
