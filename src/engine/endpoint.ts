import type { EngineEnvironment } from '../config/schema.ts'

/** Where the engine listens, and which rule of the docker CLI named it. */
export type Endpoint = {
  kind: 'unix' | 'npipe' | 'tcp' | 'tls' | 'ssh'
  address: string
  /** What the user would recognise, such as `unix:///var/run/docker.sock (DOCKER_HOST)`. Holds no secret. */
  description: string
}

export function resolveEndpoint (environment: EngineEnvironment): Endpoint {
  const address = environment.DOCKER_HOST?.replace('unix://', '') ?? '/var/run/docker.sock'
  return { kind: 'unix', address, description: `unix://${address}` }
}
