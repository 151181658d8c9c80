import { Type } from '@sinclair/typebox'

/** A container by full id, unique prefix of it, or name (Docker's own rule for names: moby `daemon/names`). */
export const ContainerParamsSchema = Type.Object({
  id: Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*$',
    description: 'Full id, unique prefix of it, or name.',
    examples: ['my-nginx']
  })
})

/** `true` and `false` as text, the only spellings that a query may use. */
export function QueryFlag (description: string, value = false) {
  return Type.Boolean({ default: value, description })
}

export const TAGS = [
  { name: 'Health', description: 'Is the server up, and does the engine answer?' },
  { name: 'Images', description: 'What is on the engine, and pulling more.' },
  { name: 'Containers', description: 'Run, inspect and control containers.' },
  { name: 'Streams', description: 'Logs, events, use of resources, and commands inside containers.' },
  { name: 'Files', description: 'Files and folders in containers.' },
  { name: 'Proxy', description: 'Reach the application inside a container.' },
  { name: 'Gateway', description: 'Containers at host names of their own.' },
  { name: 'Tokens', description: 'Who may call, and what they may do.' },
  { name: 'Audit', description: 'Who changed what.' },
  { name: 'Under /api', description: 'A small contract for web front-ends: containers and images in few words.' }
] as const
