import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model } from './model.ts'

export const HealthSchema = model('Health', {
  ok: Type.Boolean({ description: 'Whether the engine answers.' }),
  engine: Type.Object({
    endpoint: Type.String({ description: 'How the engine is reached.' }),
    version: Type.Optional(Type.String({ examples: ['28.5.1'] })),
    api: Type.Optional(Type.String({ description: 'API version that was negotiated.', examples: ['1.41'] })),
    name: Type.Optional(Type.String({ description: 'Name of the engine\'s machine.' })),
    disabled: Type.Array(Type.String(), { description: 'Sections that a socket proxy before the engine refuses.' }),
    error: Type.Optional(Type.String({ description: 'Why the engine does not answer.' })),
    hint: Type.Optional(Type.String())
  })
}, { description: 'State of the engine.' })
export type Health = Static<typeof HealthSchema>
