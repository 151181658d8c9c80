import type { Grant } from '../auth/grant.ts'
import { permitCommand } from '../auth/permit.ts'
import { commandWords } from '../containers/command.ts'
import { definedOf } from '../defined.ts'
import type { TerminalSize } from '../engine/exec.ts'
import { invalidField } from '../errors.ts'
import type { ExecQuery, ExecRequest } from '../../schemas/exec.ts'

/** A command, and how to run it. */
export type ExecOrder = {
  command: string[]
  workdir: string | undefined
  /** `NAME=value`. */
  env: string[]
  user: string | undefined
  isTty: boolean
  /** Size of the terminal when the command starts. */
  size: TerminalSize | undefined
  hasStdin: boolean
  /** The longest run, in milliseconds; undefined when there is no limit. */
  timeoutMs: number | undefined
  /** The command goes on when nobody listens any more. */
  isDetached: boolean
}

const DEFAULT_TIMEOUT_SECONDS = 60

/** @throws DockApiError `invalid_request`; `token_restricted` for a command that the token may not run. */
export function orderFromRequest (grant: Grant, request: ExecRequest): ExecOrder {
  const { workdir, env = {}, user, tty = false, stdin, detach = false, timeout = detach ? undefined : DEFAULT_TIMEOUT_SECONDS } = request
  if (detach && stdin !== undefined) throw invalidField('body', '/stdin', 'cannot be given to a detached command: nobody is connected to it')
  const command = commandWords(request.command, '/command')
  permitCommand(grant, command, request)
  return {
    command,
    workdir,
    env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    user,
    isTty: tty,
    size: undefined,
    hasStdin: stdin !== undefined,
    timeoutMs: timeout === undefined ? undefined : timeout * 1000,
    isDetached: detach
  }
}

/** @throws DockApiError `invalid_request`; `token_restricted` for a command that the token may not run. */
export function orderFromQuery (grant: Grant, query: ExecQuery): ExecOrder {
  const { workdir, env = [], user, tty, stdin, cols, rows, timeout, detach } = query
  if ((cols === undefined) !== (rows === undefined)) throw invalidField('query', cols === undefined ? '/cols' : '/rows', 'is missing beside the other one')
  const command = query.command.length === 1 ? commandWords(query.command[0]!, '/command', 'query') : query.command
  permitCommand(grant, command, definedOf({ user, workdir, env: env.length === 0 ? undefined : {} }))
  return {
    command,
    workdir,
    env,
    user,
    isTty: tty,
    size: cols === undefined || rows === undefined ? undefined : { cols, rows },
    hasStdin: stdin,
    timeoutMs: timeout === undefined ? undefined : timeout * 1000,
    isDetached: detach
  }
}
