import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model, nullable } from './model.ts'
import { Command, Env } from './run.ts'

export const ExecRequestSchema = model('ExecRequest', {
  command: Command,
  workdir: Type.Optional(Type.String({ pattern: '^/', description: 'Working directory inside the container.' })),
  env: Type.Optional(Env),
  tty: Type.Optional(Type.Boolean({ default: false, description: 'Gives the command a terminal; all output is then in `stdout`.' })),
  user: Type.Optional(Type.String({ minLength: 1, description: '`user[:group]`, by name or number.' })),
  stdin: Type.Optional(Type.String({ description: 'Written to the command, then its stdin is closed.' })),
  timeout: Type.Optional(Type.Number({ default: 60, exclusiveMinimum: 0, maximum: 3600, description: 'Longest run, in seconds; the command is ended then.' }))
}, { description: 'A command, and how to run it.', examples: [{ command: ['ls', '-la', '/'], workdir: '/', env: { DEMO: '1' }, tty: false }, { command: 'ls -la /' }] })
export type ExecRequest = Static<typeof ExecRequestSchema>

export const ExecResultSchema = model('ExecResult', {
  id: Type.String({ description: 'Id of the container.' }),
  exit_code: Type.Integer({ description: 'A code other than 0 is no failure of the request; 126 and 127: the command could not be started.' }),
  stdout: Type.String(),
  stderr: nullable(Type.String({ description: 'Null when nothing was written.' })),
  truncated: Type.Optional(Type.Boolean({ description: 'Present and true when output was cut at 1 MiB.' }))
}, { description: 'What the command gave back.', examples: [{ id: '4f0c1ee7a9b5c6d2e3f40112233445566778899aabbccddeeff0011223344556', exit_code: 0, stdout: 'total 56\n', stderr: null }] })
export type ExecResult = Static<typeof ExecResultSchema>
