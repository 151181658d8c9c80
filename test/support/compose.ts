import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'
import type { Test } from 'tap'

const run = promisify(execFile)
const TIMEOUT_MS = 120_000

/** How compose is called here: its own program, or the plugin of docker. */
const COMPOSE = [['docker-compose'], ['docker', 'compose']].find(([program, ...args]) => {
  try {
    execFileSync(program!, [...args, 'version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

/** Why tests of compose files are skipped, or `false`. */
export const SKIP_COMPOSE: string | false = COMPOSE === undefined ? 'there is no docker-compose' : false

/** A compose file as compose understands it, in YAML; nothing is made. */
export async function readComposeFile (file: string): Promise<string> {
  return await callCompose(file, 'unused', {}, ['config'])
}

/** Calls compose for a project that is taken down, with its volumes and the images that it built, when the test ends. @returns What it printed. */
export function composeProject (t: Test, file: string, project: string, env: Record<string, string>) {
  const call = (...args: string[]) => callCompose(file, project, env, args)
  t.after(() => call('down', '--volumes', '--rmi', 'local', '--timeout', '2'))
  return call
}

async function callCompose (file: string, project: string, env: Record<string, string>, args: readonly string[]): Promise<string> {
  const [program, ...before] = COMPOSE!
  const { stdout } = await run(program!, [...before, '-p', project, '-f', file, ...args], { env: { ...process.env, ...env }, timeout: TIMEOUT_MS })
  return stdout
}
