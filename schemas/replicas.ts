import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { ContainerInfoSchema } from './containers.ts'
import { model, ref } from './model.ts'
import { HealthPath } from './run.ts'

export const ScaleRequestSchema = model('ScaleRequest', {
  replicas: Type.Integer({ minimum: 1, maximum: 100, description: 'How many containers there are to be, the first one included.' }),
  wait_ready: Type.Optional(Type.Boolean({ default: false, description: 'The answer comes when each new one is ready.' })),
  health_path: Type.Optional(HealthPath),
  wait_timeout: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 3600, default: 30, description: 'Longest wait for each, in seconds.' }))
}, { description: 'How many of a container there are to be.', examples: [{ replicas: 3, wait_ready: true }] })
export type ScaleRequest = Static<typeof ScaleRequestSchema>

export const ReplicasSchema = model('Replicas', {
  replicas: Type.Integer({ description: 'How many there are.' }),
  url: Type.Union([Type.String(), Type.Null()], { description: 'The host behind which they answer in turn.' }),
  containers: Type.Array(ref(ContainerInfoSchema), { description: 'The first one, then its replicas, the oldest first.' })
}, { description: 'A container and its replicas.', examples: [{ replicas: 1, url: 'http://my-nginx.localhost:8080/', containers: [] }] })
