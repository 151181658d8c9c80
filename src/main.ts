#!/usr/bin/env node
import { runCommandLine } from './cli/command-line.ts'

const exitCode = runCommandLine(process.argv.slice(2), { env: process.env, print: console.log, complain: console.error })
if (exitCode !== undefined) process.exit(exitCode)

/** The server is most of the program, and no command on the data folder needs it. */
await import('./serve.ts')
