import { AuditEntrySchema } from './audit.ts'
import { ApiContainersSchema, ApiDoneSchema, ApiImagesSchema, ApiLaunchSchema, ApiRunRequestSchema } from './api.ts'
import { BuildEventSchema, BuildLogSchema, BuildRequestSchema, BuildResultSchema } from './build.ts'
import { ContainerDetailSchema, ContainerInfoSchema, ExitSchema, RemovedSchema, RunResultSchema } from './containers.ts'
import { ExecEventSchema, ExecInfoSchema, ExecRequestSchema, ExecResultSchema, ExecStartedSchema } from './exec.ts'
import { HealthSchema, LiveSchema, ReadySchema } from './health.ts'
import { ImageDetailSchema, ImageInfoSchema, ImageStepSchema, LoadEventSchema, LoadProgressSchema, LoadResultSchema, PruneRequestSchema, PruneResultSchema, PullEventSchema, PullProgressSchema, PullRequestSchema, PullResultSchema, RemovedImagesSchema, TagRequestSchema, TagResultSchema } from './images.ts'
import { EventBatchSchema, EngineEventSchema } from './events.ts'
import { LaunchRequestSchema, LaunchResultSchema } from './launch.ts'
import { LogBatchSchema, LogLeftOutSchema, LogLineSchema, MergedLogBatchSchema, MergedLogLineSchema } from './logs.ts'
import { FileEntrySchema, FileListingSchema, WrittenFilesSchema } from './files.ts'
import { DenialSchema, VerdictSchema } from './policy.ts'
import { FieldErrorSchema, ProblemSchema } from './problem.ts'
import { ProxyInfoSchema } from './proxy.ts'
import { ExplanationSchema } from './explain.ts'
import { MiddlewareSchema } from './middlewares.ts'
import { ReplicasSchema, ScaleRequestSchema } from './replicas.ts'
import { RouteOverrideSchema, RouteSchema, SettingVersionSchema, StaticRouteSchema, StoredMiddlewareSchema } from './routes.ts'
import { ActiveHealthSchema, ServiceSettingsSchema, StickySchema } from './services.ts'
import { TrafficSchema } from './traffic.ts'
import { RunRequestSchema, UpdateRequestSchema } from './run.ts'
import { FileChangeSchema, ProcessesSchema, StatsEventSchema, StatsSchema } from './stats.ts'
import { StreamEndSchema } from './streams.ts'
import { TombstoneSchema } from './tombstones.ts'
import { TicketSchema, TokenCreatedSchema, TokenInfoSchema, TokenRequestSchema, TokenRevokedSchema } from './tokens.ts'

/** Every named component, registered once with Fastify and published in the OpenAPI document. */
export const MODELS = [
  FieldErrorSchema,
  ProblemSchema,
  TokenRequestSchema,
  TokenCreatedSchema,
  TokenInfoSchema,
  TokenRevokedSchema,
  TicketSchema,
  AuditEntrySchema,
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
  LoadResultSchema,
  LoadProgressSchema,
  LoadEventSchema,
  ContainerInfoSchema,
  ContainerDetailSchema,
  RunRequestSchema,
  RunResultSchema,
  UpdateRequestSchema,
  DenialSchema,
  VerdictSchema,
  RemovedSchema,
  TombstoneSchema,
  ExitSchema,
  ExecRequestSchema,
  ExecResultSchema,
  TrafficSchema,
  ExecEventSchema,
  ExecStartedSchema,
  ExecInfoSchema,
  RouteSchema,
  StickySchema,
  ActiveHealthSchema,
  ServiceSettingsSchema,
  StaticRouteSchema,
  RouteOverrideSchema,
  SettingVersionSchema,
  MiddlewareSchema,
  StoredMiddlewareSchema,
  ExplanationSchema,
  ScaleRequestSchema,
  ReplicasSchema,
  StreamEndSchema,
  LogLineSchema,
  LogBatchSchema,
  MergedLogLineSchema,
  MergedLogBatchSchema,
  LogLeftOutSchema,
  EngineEventSchema,
  EventBatchSchema,
  StatsSchema,
  StatsEventSchema,
  ProcessesSchema,
  FileChangeSchema,
  ProxyInfoSchema,
  FileEntrySchema,
  FileListingSchema,
  WrittenFilesSchema,
  LaunchRequestSchema,
  LaunchResultSchema,
  ApiContainersSchema,
  ApiRunRequestSchema,
  ApiLaunchSchema,
  ApiDoneSchema,
  ApiImagesSchema
]
