import { HealthSchema } from './health.ts'
import { FieldErrorSchema, ProblemSchema } from './problem.ts'

/** Every named component, registered once with Fastify and published in the OpenAPI document. */
export const MODELS = [FieldErrorSchema, ProblemSchema, HealthSchema]
