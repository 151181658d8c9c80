import { Type } from '@sinclair/typebox'
import type { Static, TProperties } from '@sinclair/typebox'
import { model, oneOf } from './model.ts'

const options = <T extends TProperties>(properties: T, description: string) => Type.Optional(Type.Object(properties, { additionalProperties: false, description }))
const flag = (description: string) => Type.Optional(Type.Boolean({ description }))
const strings = (description: string) => Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), { minItems: 1, maxItems: 1000, description })
const PathPart = Type.String({ pattern: '^/', maxLength: 2048 })
const Pattern = Type.String({ minLength: 1, maxLength: 1024, description: 'A regular expression (RE2 syntax: no backtracking).' })
const Seconds = (description: string) => Type.Number({ exclusiveMinimum: 0, maximum: 86_400, description: `${description}, in seconds.` })
const Addresses = Type.Array(Type.String({ minLength: 2, maxLength: 64 }), { minItems: 1, maxItems: 1000, description: 'IP addresses and networks, `10.0.0.0/8`.', examples: [['127.0.0.1', '10.0.0.0/8']] })
const HeaderValues = (description: string) => Type.Optional(Type.Record(Type.String({ pattern: '^[!#$%&\'*+.^_`|~0-9A-Za-z-]+$' }), Type.String({ maxLength: 8192, pattern: '^[^\\r\\n\\u0000]*$' }), { description: `${description} An empty value removes the header.` }))

/**
 * One thing that is done to the requests of a route before they reach a container, or to the answers on their way back. Named after
 * Traefik's, written `snake_case`; exactly one member.
 */
export const MiddlewareSchema = model('Middleware', {
  strip_prefix: options({ prefixes: Type.Array(PathPart, { minItems: 1, maxItems: 100, description: 'The first that the path begins with is taken off, and told in `X-Forwarded-Prefix`.' }) }, 'Takes the beginning of the path off.'),
  strip_prefix_regex: options({ regex: Type.Array(Pattern, { minItems: 1, maxItems: 100 }) }, 'Takes off what a pattern finds at the beginning of the path.'),
  add_prefix: options({ prefix: PathPart }, 'Puts something before the path.'),
  replace_path: options({ path: PathPart }, 'Replaces the whole path; the former one is told in `X-Replaced-Path`.'),
  replace_path_regex: options({ regex: Pattern, replacement: Type.String({ maxLength: 2048, description: '`$1` stands for what the first group found.' }) }, 'Replaces what a pattern finds in the path; the former one is told in `X-Replaced-Path`.'),
  redirect_scheme: options({ scheme: oneOf(['http', 'https']), port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535 })), permanent: flag('301 or 308 instead of 302 or 307.') }, 'Sends the client to another scheme.'),
  redirect_regex: options({ regex: Pattern, replacement: Type.String({ minLength: 1, maxLength: 2048 }), permanent: flag('301 or 308 instead of 302 or 307.') }, 'Sends the client to another URL when the whole URL fits the pattern.'),
  headers: options({
    custom_request_headers: HeaderValues('Set on requests.'),
    custom_response_headers: HeaderValues('Set on answers.'),
    access_control_allow_origin_list: Type.Optional(strings('Origins that may read answers; `*` is every one.')),
    access_control_allow_origin_list_regex: Type.Optional(Type.Array(Pattern, { minItems: 1, maxItems: 100 })),
    access_control_allow_methods: Type.Optional(strings('Methods that pages of these origins may use.')),
    access_control_allow_headers: Type.Optional(strings('Headers that they may send.')),
    access_control_expose_headers: Type.Optional(strings('Headers that they may read.')),
    access_control_allow_credentials: flag('Cookies and authentication may be sent along. Not together with the origin `*`.'),
    access_control_max_age: Type.Optional(Type.Integer({ minimum: 0, description: 'How long a browser remembers, in seconds.' })),
    add_vary_header: flag('Adds `Vary: Origin`.'),
    frame_deny: flag('`X-Frame-Options: DENY`.'),
    custom_frame_options_value: Type.Optional(Type.String({ maxLength: 256 })),
    content_type_nosniff: flag('`X-Content-Type-Options: nosniff`.'),
    browser_xss_filter: flag('`X-XSS-Protection: 1; mode=block`.'),
    referrer_policy: Type.Optional(Type.String({ maxLength: 256 })),
    permissions_policy: Type.Optional(Type.String({ maxLength: 4096 })),
    content_security_policy: Type.Optional(Type.String({ maxLength: 8192 })),
    sts_seconds: Type.Optional(Type.Integer({ minimum: 0, description: '`Strict-Transport-Security`, over TLS only.' })),
    sts_include_subdomains: flag('Adds `includeSubDomains`.'),
    sts_preload: flag('Adds `preload`.'),
    force_sts_header: flag('Also without TLS.'),
    ssl_proxy_headers: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'Accepted for Traefik\'s sake; dockAPI itself knows how a client came.' }))
  }, 'Sets and removes headers; CORS.'),
  basic_auth: options({
    users: Type.Optional(strings('`name:hash` as `htpasswd` writes it: bcrypt, `$apr1$` MD5 or `{SHA}`.')),
    realm: Type.Optional(Type.String({ maxLength: 256, pattern: '^[^"\\r\\n]*$' })),
    remove_header: flag('The application does not see `Authorization`.'),
    header_field: Type.Optional(Type.String({ maxLength: 128, description: 'Tells the application the name of the user in this header.' }))
  }, 'Asks for a name and a password.'),
  forward_auth: options({
    address: Type.String({ format: 'uri', maxLength: 2048, description: 'Asked with the headers of each request; 2xx lets it pass, any other answer goes to the client.', examples: ['http://authelia:9091/api/authz/forward-auth'] }),
    trust_forward_header: flag('Accepted for Traefik\'s sake; a client may never speak for the proxy.'),
    auth_response_headers: Type.Optional(strings('Headers of its answer that the application gets.')),
    auth_response_headers_regex: Type.Optional(Pattern),
    auth_request_headers: Type.Optional(strings('Headers of the request that it gets; all when left out.')),
    add_auth_cookies_to_response: Type.Optional(strings('Cookies of its answer that the client gets.')),
    max_response_body_size: Type.Optional(Type.Integer({ minimum: 1, description: 'In bytes.' }))
  }, 'Asks another server who may pass.'),
  token: options({}, 'Asks for a token of dockAPI: one with the scope `read`, for which the containers of the route exist. The application does not see it.'),
  ip_allow_list: options({
    source_range: Addresses,
    reject_status_code: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 }))
  }, 'Lets only some addresses pass: the peer of the connection, never what a header says.'),
  rate_limit: options({
    average: Type.Integer({ minimum: 0, description: 'Requests in a period; 0 is no limit.' }),
    period: Type.Optional(Seconds('Of `average`; 1 when left out')),
    burst: Type.Optional(Type.Integer({ minimum: 1, description: 'Requests that may come at once; 1 when left out.' })),
    source_header: Type.Optional(Type.String({ maxLength: 128, description: 'Tells callers apart by this request header instead of their address.' })),
    source_host: flag('Tells callers apart by the host that they ask for.')
  }, 'Answers 429 to who asks too often.'),
  compress: options({
    excluded_content_types: Type.Optional(strings('Not compressed.')),
    included_content_types: Type.Optional(strings('Only these are compressed.')),
    min_response_body_bytes: Type.Optional(Type.Integer({ minimum: 0, description: '1024 when left out.' })),
    encodings: Type.Optional(Type.Array(oneOf(['zstd', 'br', 'gzip']), { minItems: 1, uniqueItems: true })),
    default_encoding: Type.Optional(oneOf(['zstd', 'br', 'gzip']))
  }, 'Compresses answers that are not compressed yet. Streams of events pass as they are.'),
  buffering: options({
    max_request_body_bytes: Type.Optional(Type.Integer({ minimum: 1, description: 'A larger body is refused with 413.' })),
    max_response_body_bytes: Type.Optional(Type.Integer({ minimum: 1, description: 'A larger answer is cut off, or replaced by a 502 where its length is known.' })),
    mem_request_body_bytes: Type.Optional(Type.Integer({ minimum: 0 })),
    mem_response_body_bytes: Type.Optional(Type.Integer({ minimum: 0 })),
    retry_expression: Type.Optional(Type.String({ maxLength: 256 }))
  }, 'Limits the size of bodies. They are never gathered: what only says how to gather is accepted and has no effect.'),
  errors: options({
    status: strings('Statuses whose answers are replaced: `404`, `500-599`.'),
    service: Type.String({ minLength: 1, maxLength: 256, description: 'The service that has the pages.' }),
    query: Type.Optional(Type.String({ maxLength: 2048, description: 'The path that is asked of it; `{status}` and `{url}` are filled in.' }))
  }, 'Shows pages of another service in place of failures.'),
  in_flight_req: options({
    amount: Type.Integer({ minimum: 1, description: 'Requests at a time; more get 429.' }),
    source_header: Type.Optional(Type.String({ maxLength: 128 })),
    source_host: flag('Counts by the host that they ask for, not by address.')
  }, 'Bounds how many requests run at once.'),
  content_type: options({ auto_detect: flag('Accepted for Traefik\'s sake.') }, 'Nothing is guessed here: a content type is the application\'s own.'),
  retry: options({ attempts: Type.Optional(Type.Integer({ minimum: 1 })), initial_interval: Type.Optional(Seconds('Accepted for Traefik\'s sake')) }, 'Accepted for Traefik\'s sake: what can be sent again safely is sent again without it.'),
  chain: options({ middlewares: strings('References, in order.') }, 'Several under one name.')
}, { minProperties: 1, maxProperties: 1, description: 'What is done to the requests or answers of a route; exactly one member, named as Traefik names it.', examples: [{ strip_prefix: { prefixes: ['/api'] } }, { rate_limit: { average: 100, burst: 50 } }] })
export type Middleware = Static<typeof MiddlewareSchema>
export type MiddlewareKind = keyof Middleware
