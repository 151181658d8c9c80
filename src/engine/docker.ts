import Docker from 'dockerode'
import type { Modem } from './modem.ts'

type Abortable = { abortSignal: AbortSignal }

/** dockerode takes an abort signal here too; its types do not say so. */
export type AbortableDocker = Omit<Docker, 'ping' | 'info' | 'version' | 'getEvents' | 'df'> & {
  ping (options: Abortable): Promise<unknown>
  info (options: Abortable): Promise<{ Name?: string }>
  df (options: Abortable): Promise<unknown>
  version (options: Abortable): Promise<Partial<Docker.DockerVersion>>
  getEvents (options: Abortable & { since?: number | string, until?: number | string, filters?: { type: string[] } }): Promise<NodeJS.ReadableStream>
}

/** A dockerode that reads no environment variable and dials what the modem dials. */
export function createDocker (modem: Modem): Docker {
  const options: object = { modem }
  return new Docker(options)
}

export function abortable (docker: Docker): AbortableDocker {
  return docker as unknown as AbortableDocker
}
