export type MetricInfo = { readonly type: 'counter' | 'gauge' | 'histogram', readonly labels: readonly string[], readonly help: string }

/** Every metric of dockAPI's own; `docs/operations.md` lists the same. No label takes what a caller may choose freely: names of services are as many as there are services. */
export const METRICS = {
  dockapi_build_info: { type: 'gauge', labels: ['version', 'node'], help: 'Always 1; the labels say what runs.' },
  dockapi_api_requests_total: { type: 'counter', labels: ['operation', 'status'], help: 'Requests to the API that are over, by operationId (proxy: an application behind /proxy; none: no route) and class of status. 1xx: a WebSocket.' },
  dockapi_api_request_duration_seconds: { type: 'histogram', labels: ['operation'], help: 'From the request to the end of its answer; for streams and WebSockets, how long they were open.' },
  dockapi_api_in_flight: { type: 'gauge', labels: ['operation'], help: 'Requests and WebSockets of the API that are not over: of streams, how many of each kind are open.' },
  dockapi_streams_open: { type: 'gauge', labels: [], help: 'Logs, events, commands and other streams of the API that are open.' },
  dockapi_engine_calls_total: { type: 'counter', labels: ['call', 'result'], help: 'Calls to the engine, by what they do and how they ended: ok, or the code of the error.' },
  dockapi_engine_call_duration_seconds: { type: 'histogram', labels: ['call'], help: 'How long calls to the engine took; for streams, until they were open.' },
  dockapi_event_lag_seconds: { type: 'histogram', labels: [], help: 'How long after the engine\'s clock its events arrived. Each is counted by everyone in dockAPI who follows the engine.' },
  dockapi_event_streams_opened_total: { type: 'counter', labels: [], help: 'How often a stream of the engine\'s events was opened, the first time or again.' },
  dockapi_event_streams_lost_total: { type: 'counter', labels: [], help: 'How often a stream of the engine\'s events was lost or could not be opened.' },
  dockapi_tombstones: { type: 'gauge', labels: [], help: 'Removed containers of which something is kept.' },
  dockapi_gateway_current: { type: 'gauge', labels: [], help: '1 while the gateway hears the engine\'s events and nothing may have been missed, else 0.' },
  dockapi_routes: { type: 'gauge', labels: [], help: 'Routes of the gateway.' },
  dockapi_routes_with_problems: { type: 'gauge', labels: [], help: 'Routes of the gateway with something in the way, such as a host that belongs to another; GET /routes says what.' },
  dockapi_upstreams: { type: 'gauge', labels: ['state'], help: 'Upstreams of the gateway, by state.' },
  dockapi_gateway_requests_total: { type: 'counter', labels: ['service', 'status'], help: 'Answers of applications through the gateway, by service and class of status. 1xx: a WebSocket.' },
  dockapi_gateway_failures_total: { type: 'counter', labels: ['service'], help: 'Attempts at an upstream that it did not answer: refused, reset, no HTTP, or too late. A request that another upstream then answered is among them.' },
  dockapi_gateway_refusals_total: { type: 'counter', labels: ['code'], help: 'Requests that the gateway itself answered with an error, by its code.' },
  dockapi_gateway_in_flight: { type: 'gauge', labels: ['service'], help: 'Requests and upgraded connections that are served now.' },
  dockapi_gateway_latency_seconds: { type: 'histogram', labels: ['service'], help: 'From the choice of an upstream to the beginning of its answer. A service has it from its first answer on.' }
} as const satisfies Record<string, MetricInfo>

export type MetricName = keyof typeof METRICS
