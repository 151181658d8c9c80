import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model, nullable, oneOf } from './model.ts'

export const UPSTREAM_STATES = ['up', 'opening', 'starting', 'unhealthy', 'probing', 'failing', 'ejected', 'draining', 'paused', 'down', 'unreachable'] as const
export type UpstreamState = (typeof UPSTREAM_STATES)[number]

const RouteUpstream = Type.Object({
  container_id: Type.String({ description: 'Full id.' }),
  container_name: Type.String(),
  port: nullable(Type.Integer({ description: 'Port of the container; null when it exposes none.' })),
  address: nullable(Type.String({ description: 'What is dialled; null while it cannot be reached.' })),
  reason: Type.String({ description: 'Why this address, or why none.' }),
  state: oneOf(UPSTREAM_STATES, {
    description: '`up` takes requests; `opening` runs, but its port was not seen open yet; `starting` and `unhealthy` are what its HEALTHCHECK says; `probing` was not answered by ' +
      'its health path yet, and `failing` is what that says; `ejected` failed requests lately and gets some again in a moment; `draining` is about to be stopped; `paused`; `down` does not run; `unreachable` has no address that can be dialled from here.'
  }),
  in_flight: Type.Integer({ description: 'Requests and upgraded connections that it serves now.' })
}, { additionalProperties: false })

export const RouteSchema = model('Route', {
  name: Type.String(),
  hosts: Type.Array(Type.String(), { description: 'Where it answers.' }),
  urls: Type.Array(Type.String(), { description: 'The same as URLs, with the gateway\'s port.' }),
  service: Type.String({ description: 'The pool behind it; the same through all changes.' }),
  provider: oneOf(['docker'], { description: 'Where the route comes from.' }),
  upstreams: Type.Array(RouteUpstream, { description: 'They answer in turn.' }),
  problems: Type.Array(Type.String(), { description: 'What keeps it from working as its names and labels say.' })
}, {
  description: 'A host of the gateway and the containers that answer there.',
  examples: [{
    name: 'my-nginx',
    hosts: ['my-nginx.localhost'],
    urls: ['http://my-nginx.localhost:8080/'],
    service: 'container/4f0c1ee7a9b5c6d2e3f40112233445566778899aabbccddeeff0011223344556',
    provider: 'docker',
    upstreams: [{
      container_id: '4f0c1ee7a9b5c6d2e3f40112233445566778899aabbccddeeff0011223344556',
      container_name: 'my-nginx',
      port: 80,
      address: 'http://127.0.0.1:52347',
      reason: 'port 80 is published at 127.0.0.1:52347',
      state: 'up',
      in_flight: 0
    }],
    problems: []
  }]
})
export type RouteInfo = Static<typeof RouteSchema>
