import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model, nullable } from './model.ts'

const Count = (description: string) => Type.Integer({ minimum: 0, description })
const Rate = (description: string) => Type.Number({ minimum: 0, description })
const Time = (description: string) => Type.Number({ minimum: 0, description: `${description}, in milliseconds.` })

export const TrafficSchema = model('Traffic', {
  in_flight: Count('Requests and upgraded connections that are served now.'),
  upgrades: Count('Of these, upgraded connections (WebSocket and the like), also while they wait for their 101.'),
  total: Count('Requests so far. One that is sent again to another upstream counts once for each upstream.'),
  failures: Count('Of these, those that the upstream did not answer: refused, reset, no HTTP, or too late. An answer with status 500 is none.'),
  statuses: Type.Object({
    '1xx': Count('Switches of protocol.'),
    '2xx': Count('Successes.'),
    '3xx': Count('Redirects, and 304.'),
    '4xx': Count('Refusals.'),
    '5xx': Count('The application\'s own failures.')
  }, { additionalProperties: false, description: 'Answers so far by class of status.' }),
  requests_per_second: Type.Object({
    last_10s: Rate('Over the last ten whole seconds.'),
    last_60s: Rate('Over the last minute.')
  }, { additionalProperties: false }),
  latency_ms: nullable(Type.Object({ p50: Time('The half'), p95: Time('95 %'), p99: Time('99 %') }, {
    additionalProperties: false,
    description: 'Within which time of their start this part of the answers began, over the last two to three minutes; exact to 5 %. Null without any.'
  })),
  last_request_at: nullable(Type.String({ format: 'date-time', description: 'When the newest request came; null before the first one.' }))
}, {
  description: 'What was counted of a service or an upstream since dockAPI began.',
  examples: [{
    in_flight: 3,
    upgrades: 1,
    total: 1204,
    failures: 2,
    statuses: { '1xx': 4, '2xx': 1170, '3xx': 20, '4xx': 5, '5xx': 3 },
    requests_per_second: { last_10s: 12.4, last_60s: 10.9 },
    latency_ms: { p50: 4.1, p95: 18.2, p99: 61.5 },
    last_request_at: '2026-07-24T09:30:00.000Z'
  }]
})
export type TrafficInfo = Static<typeof TrafficSchema>
