import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model, nullable, oneOf, ref } from './model.ts'
import { ProblemSchema } from './problem.ts'

const Name = Type.String({ minLength: 1, maxLength: 1024, description: 'Name of the image; no tag means `latest`. Without it the image has an id only.', examples: ['team/app:1'] })
const Target = Type.String({ minLength: 1, maxLength: 256, description: 'The stage to build, and what it needs; the last one when left out.' })
const NoCache = Type.Boolean({ description: 'Runs every step anew.' })
const Pull = Type.Boolean({ description: 'Asks the registry for a newer base image.' })
const Pairs = (description: string) => Type.Record(Type.String({ minLength: 1 }), Type.String(), { description })

export const BuildRequestSchema = model('BuildRequest', {
  dockerfile: Type.String({ minLength: 1, description: 'The text of a Dockerfile. There is no other file beside it: send a tar for `COPY`.' }),
  name: Type.Optional(Name),
  target: Type.Optional(Target),
  no_cache: Type.Optional(NoCache),
  pull: Type.Optional(Pull),
  build_args: Type.Optional(Pairs('Values of `ARG`. They stay in the history of the image: no secrets.')),
  labels: Type.Optional(Pairs('Labels of the image.'))
}, { description: 'A Dockerfile to build.', examples: [{ dockerfile: 'FROM alpine:3\nRUN apk add --no-cache curl\n', name: 'team/app:1' }] })
export type BuildRequest = Static<typeof BuildRequestSchema>

/** For a tar, whose body has no room for them. */
export const BuildQuerySchema = Type.Object({
  name: Type.Optional(Name),
  file: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'Path of the Dockerfile in the tar; `Dockerfile` when left out.' })),
  target: Type.Optional(Target),
  no_cache: Type.Optional(NoCache),
  pull: Type.Optional(Pull),
  build_arg: Type.Optional(Type.Array(Type.String(), { maxItems: 100, description: 'A value of `ARG`, `NAME=value`; repeat it.' })),
  label: Type.Optional(Type.Array(Type.String(), { maxItems: 100, description: 'A label of the image, `name=value`; repeat it.' }))
}, { additionalProperties: false })
export type BuildQuery = Static<typeof BuildQuerySchema>

export const TarSchema = Type.Unsafe<unknown>({ description: 'A tar archive, streamed.' })

export const BuildResultSchema = model('BuildResult', {
  id: Type.String({ description: 'Full id of the image.' }),
  image: nullable(Type.String({ description: 'Its name, tag included.' })),
  log: Type.String({ description: 'The last 64 KiB of what the build printed.' })
}, { description: 'The image that was built.', examples: [{ id: 'sha256:3b25b682ea82b2db3cc4fd48db818be788ee3f902ac7378090cf2624ec2442df', image: 'team/app:1', log: 'Step 1/2 : FROM alpine:3\n' }] })
export type BuildResult = Static<typeof BuildResultSchema>

export const BuildLogSchema = model('BuildLog', {
  text: Type.String({ description: 'What the build printed.' })
}, { description: 'A piece of the log of a build.', examples: [{ text: 'Step 1/2 : FROM alpine:3\n' }] })

export const BuildEventSchema = model('BuildEvent', {
  event: oneOf(['log', 'done', 'error'])
}, {
  additionalProperties: true,
  anyOf: [ref(BuildLogSchema), ref(BuildResultSchema), ref(ProblemSchema)],
  description: 'One line of a build: beside `event` the members of BuildLog, BuildResult or Problem. The last one is `done` or `error`.',
  examples: [{ event: 'log', text: 'Step 1/2 : FROM alpine:3\n' }]
})
