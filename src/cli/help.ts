import { SETTINGS } from '../config/schema.ts'

const WIDTH = Math.max(...SETTINGS.map(({ flag }) => flag.length)) + 2

export const HELP = `dockapi: one HTTP API to run Docker containers, and a gateway that gives each one a URL.

Usage
  dockapi [flags]                    serve (npm start -- [flags] in a clone)
  dockapi token create NAME          make a token; its secret is shown once
  dockapi token list                 list tokens
  dockapi token revoke NAME          end a token, and what is open in its name
  dockapi token --help               what a token can be narrowed to
  dockapi --help

Examples
  dockapi
  dockapi --port 9000 --gateway-port off
  dockapi token create laptop --scope admin
  dockapi --host 0.0.0.0 --allowed-hosts box.lan

Flags (each is also a variable: --data-dir is DOCKAPI_DATA_DIR)
${SETTINGS.map(({ flag, schema }) => `  ${flag.padEnd(WIDTH)}${firstSentence(String(schema.description))}`).join('\n')}

The engine is found by the variables of the docker command (DOCKER_HOST, DOCKER_CONTEXT, ...).`

function firstSentence (description: string): string {
  return (/^.*?[.;](?=\s|$)/.exec(description)?.[0] ?? description).replace(/[.;]$/, '').replaceAll('`', '')
}
