import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model } from './model.ts'

export const LIVE_EXAMPLE = { ok: true } as const

export const HEALTHY_EXAMPLE = {
  ok: true,
  engine: { endpoint: 'unix:///var/run/docker.sock (found)', version: '28.5.1', api: '1.51', name: 'my-machine', disabled: [] }
}

export const UNHEALTHY_EXAMPLE = {
  ok: false,
  engine: {
    endpoint: 'unix:///var/run/docker.sock (default)',
    disabled: [],
    error: 'Cannot reach the engine at unix:///var/run/docker.sock (default): /var/run/docker.sock does not exist.',
    hint: 'Start Docker, or set DOCKER_HOST to the engine\'s address.'
  }
}

export const HealthSchema = model('Health', {
  ok: Type.Boolean({ description: 'Whether the engine answers.' }),
  engine: Type.Optional(Type.Object({
    endpoint: Type.String({ description: 'How the engine is reached, and which setting says so.' }),
    version: Type.Optional(Type.String({ description: 'Version of the engine; absent where a socket proxy keeps it secret.', examples: ['28.5.1'] })),
    api: Type.Optional(Type.String({ description: 'API version that was negotiated.', examples: ['1.41'] })),
    name: Type.Optional(Type.String({ description: 'Name of the engine\'s machine.' })),
    disabled: Type.Array(Type.String(), { description: 'Switches that are off in a socket proxy before the engine, by the names of tecnativa/docker-socket-proxy. `BUILD` and `SYSTEM` appear once they were refused.', examples: [['EXEC', 'POST']] }),
    error: Type.Optional(Type.String({ description: 'Why the engine does not answer.' })),
    hint: Type.Optional(Type.String({ description: 'What to do about the error, or to have what is disabled.' }))
  }, { description: 'Not for callers without a token, where one is needed.' }))
}, { description: 'State of the engine.', examples: [HEALTHY_EXAMPLE, UNHEALTHY_EXAMPLE] })
/** With everything that there is to tell. */
export type Health = Required<Static<typeof HealthSchema>>

export const LiveSchema = model('Live', {
  ok: Type.Literal(true)
}, { description: 'The process lives.', examples: [LIVE_EXAMPLE] })

export const ReadySchema = model('Ready', {
  ok: Type.Boolean({ description: 'Whether requests can be served.' }),
  error: Type.Optional(Type.String({ description: 'What is missing.' }))
}, { description: 'Whether to send requests here.', examples: [{ ok: true }, { ok: false, error: UNHEALTHY_EXAMPLE.engine.error }] })
