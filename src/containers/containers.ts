import type { Upstream } from '../forward/upstream.ts'

/** The containers that exist for the API: one lookup for every door (DESIGN section 7). */
export type Containers = {
  /**
   * The address at which a container is reached now.
   * @param reference Full id, unique prefix or name.
   * @param options `port`: a port of the container other than its main one.
   * @throws DockApiError `container_not_found`, `ambiguous_id`, `upstream_not_running`, `no_port`.
   */
  upstream (reference: string, options?: { port?: number | undefined, signal?: AbortSignal | undefined }): Promise<Upstream>
}
