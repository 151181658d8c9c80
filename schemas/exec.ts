import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { QueryFlag } from './common.ts'
import { model, nullable, oneOf } from './model.ts'
import { Command, Env } from './run.ts'

const CONTAINER_ID = '4f0c1ee7a9b5c6d2e3f40112233445566778899aabbccddeeff0011223344556'
const EXEC_ID = 'b7d6a3c0e4f5968778695a4b3c2d1e0f00112233445566778899aabbccddeeff'

const Workdir = Type.Optional(Type.String({ pattern: '^/', description: 'Working directory inside the container.' }))
const User = Type.Optional(Type.String({ minLength: 1, description: '`user[:group]`, by name or number.' }))
const MaxOutput = (what: string) => Type.Optional(Type.Integer({ minimum: 0, maximum: 16 * 1024 ** 2, description: `Bytes of each of stdout and stderr after which the rest is left out; ${what}.` }))

export const ExecRequestSchema = model('ExecRequest', {
  command: Command,
  workdir: Workdir,
  env: Type.Optional(Env),
  tty: Type.Optional(Type.Boolean({ default: false, description: 'Gives the command a terminal; all output is then in `stdout`.' })),
  user: User,
  stdin: Type.Optional(Type.String({ description: 'Written to the command, then its stdin is closed.' })),
  timeout: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 3600, description: 'Longest run, in seconds, 60 when left out, without limit when detached; the command is ended then.' })),
  detach: Type.Optional(Type.Boolean({ default: false, description: 'Answers as soon as the command runs. Its output is lost.' })),
  max_output: MaxOutput('1 MiB in a JSON answer, no limit in a stream')
}, { description: 'A command, and how to run it.', examples: [{ command: ['ls', '-la', '/'], workdir: '/', env: { DEMO: '1' }, tty: false }, { command: 'ls -la /' }] })
export type ExecRequest = Static<typeof ExecRequestSchema>

/** What a WebSocket's handshake has room for: no body. */
export const ExecQuerySchema = Type.Object({
  command: Type.Array(Type.String({ maxLength: 65536, pattern: '^[^\\u0000]*$' }), { minItems: 1, maxItems: 1000, description: 'The words, repeated; or one string that is split as a shell splits words. No shell runs.', examples: [['sh']] }),
  tty: QueryFlag('Gives the command a terminal; all output is then stdout.'),
  cols: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: 'Columns of the terminal at the start.' })),
  rows: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: 'Rows of the terminal at the start.' })),
  stdin: QueryFlag('The command gets what the client sends; without it its stdin is closed.', true),
  stdout: QueryFlag('Sends stdout.', true),
  stderr: QueryFlag('Sends stderr.', true),
  env: Type.Optional(Type.Array(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_.-]*=[^\\u0000]*$' }), { maxItems: 1000, description: 'An environment variable, `NAME=value`; repeat it for several.' })),
  user: User,
  workdir: Workdir,
  timeout: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 86_400, description: 'Longest run, in seconds; without limit when left out.' })),
  detach: QueryFlag('The command goes on when the client leaves.'),
  max_output: MaxOutput('no limit when left out')
}, { additionalProperties: false })
export type ExecQuery = Static<typeof ExecQuerySchema>

export const ExecResultSchema = model('ExecResult', {
  id: Type.String({ description: 'Id of the container.' }),
  exit_code: Type.Integer({ description: 'A code other than 0 is no failure of the request; 126 and 127: the command could not be started.' }),
  stdout: Type.String(),
  stderr: nullable(Type.String({ description: 'Null when nothing was written.' })),
  truncated: Type.Optional(Type.Boolean({ description: 'Present and true when output was left out.' }))
}, { description: 'What the command gave back.', examples: [{ id: CONTAINER_ID, exit_code: 0, stdout: 'total 56\n', stderr: null }] })
export type ExecResult = Static<typeof ExecResultSchema>

export const ExecEventSchema = model('ExecEvent', {
  event: oneOf(['started', 'stdout', 'stderr', 'exit']),
  exec_id: Type.Optional(Type.String({ description: 'Of `started`: the command\'s id.' })),
  data: Type.Optional(Type.String({ description: 'Of `stdout` and `stderr`: what was written.' })),
  encoding: Type.Optional(Type.Literal('base64', { description: 'Beside `data` that is base64, because the bytes are not UTF-8.' })),
  exit_code: Type.Optional(Type.Integer({ description: 'Of `exit`.' })),
  truncated: Type.Optional(Type.Boolean({ description: 'Of `exit`: present and true when output was left out.' }))
}, { description: 'What a command does. First `started`, then what it writes, then `exit`.', examples: [{ event: 'stdout', data: 'total 56\n' }] })

export const ExecStartedSchema = model('ExecStarted', {
  id: Type.String({ description: 'Id of the container.' }),
  exec_id: Type.String({ description: 'Id of the command.' }),
  status: Type.Literal('running')
}, { description: 'A command that goes on by itself.', examples: [{ id: CONTAINER_ID, exec_id: EXEC_ID, status: 'running' }] })

export const ExecInfoSchema = model('ExecInfo', {
  exec_id: Type.String(),
  command: Type.Array(Type.String()),
  user: nullable(Type.String({ description: 'Null: the container\'s own.' })),
  tty: Type.Boolean(),
  detached: Type.Boolean({ description: 'It goes on when nobody is connected to it.' }),
  started_at: Type.String({ format: 'date-time' }),
  ended_at: nullable(Type.String({ format: 'date-time', description: 'When dockAPI noticed; null while it runs.' })),
  running: Type.Boolean(),
  exit_code: nullable(Type.Integer({ description: 'Null while it runs, and when its container went away first.' })),
  bytes: Type.Object({ stdin: Type.Integer(), stdout: Type.Integer(), stderr: Type.Integer() }, { description: 'What passed through dockAPI; nothing of a command that was started detached.' })
}, {
  description: 'A command that was run in a container.',
  examples: [{
    exec_id: EXEC_ID,
    command: ['sh', '-c', 'make test'],
    user: null,
    tty: false,
    detached: false,
    started_at: '2026-01-05T10:00:00.123Z',
    ended_at: null,
    running: true,
    exit_code: null,
    bytes: { stdin: 0, stdout: 4096, stderr: 0 }
  }]
})
export type ExecInfo = Static<typeof ExecInfoSchema>

export const ExecParamsSchema = Type.Object({
  exec_id: Type.String({ pattern: '^[0-9a-f]{1,64}$', description: 'Id of the command.', examples: [EXEC_ID] })
})

/** What may be sent to a command: `kill` of POSIX and what terminals send. */
export const SIGNALS = [
  'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGKILL', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGTERM', 'SIGCONT', 'SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGWINCH'
] as const

export const KillExecQuerySchema = Type.Object({
  signal: oneOf(SIGNALS, { default: 'SIGKILL', description: 'What is sent to the command and to what it started.' })
}, { additionalProperties: false })
