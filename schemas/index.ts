import { BuildEventSchema, BuildLogSchema, BuildRequestSchema, BuildResultSchema } from './build.ts'
import { ContainerDetailSchema, ContainerInfoSchema, ExitSchema, RemovedSchema, RunResultSchema } from './containers.ts'
import { ExecRequestSchema, ExecResultSchema } from './exec.ts'
import { HealthSchema, LiveSchema, ReadySchema } from './health.ts'
import { ImageDetailSchema, ImageInfoSchema, ImageStepSchema, PruneRequestSchema, PruneResultSchema, PullEventSchema, PullProgressSchema, PullRequestSchema, PullResultSchema, RemovedImagesSchema, TagRequestSchema, TagResultSchema } from './images.ts'
import { EventBatchSchema, EngineEventSchema } from './events.ts'
import { LogBatchSchema, LogLineSchema, MergedLogBatchSchema, MergedLogLineSchema } from './logs.ts'
import { FieldErrorSchema, ProblemSchema } from './problem.ts'
import { ProxyInfoSchema } from './proxy.ts'
import { RouteSchema } from './routes.ts'
import { RunRequestSchema, UpdateRequestSchema } from './run.ts'
import { FileChangeSchema, ProcessesSchema, StatsEventSchema, StatsSchema } from './stats.ts'
import { StreamEndSchema } from './streams.ts'
import { TombstoneSchema } from './tombstones.ts'

/** Every named component, registered once with Fastify and published in the OpenAPI document. */
export const MODELS = [
  FieldErrorSchema,
  ProblemSchema,
  HealthSchema,
  LiveSchema,
  ReadySchema,
  ImageInfoSchema,
  PullRequestSchema,
  PullResultSchema,
  PullProgressSchema,
  PullEventSchema,
  BuildRequestSchema,
  BuildResultSchema,
  BuildLogSchema,
  BuildEventSchema,
  ImageDetailSchema,
  ImageStepSchema,
  TagRequestSchema,
  TagResultSchema,
  RemovedImagesSchema,
  PruneRequestSchema,
  PruneResultSchema,
  ContainerInfoSchema,
  ContainerDetailSchema,
  RunRequestSchema,
  RunResultSchema,
  UpdateRequestSchema,
  RemovedSchema,
  TombstoneSchema,
  ExitSchema,
  ExecRequestSchema,
  ExecResultSchema,
  RouteSchema,
  StreamEndSchema,
  LogLineSchema,
  LogBatchSchema,
  MergedLogLineSchema,
  MergedLogBatchSchema,
  EngineEventSchema,
  EventBatchSchema,
  StatsSchema,
  StatsEventSchema,
  ProcessesSchema,
  FileChangeSchema,
  ProxyInfoSchema
]
