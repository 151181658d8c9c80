import type { Middleware, MiddlewareKind } from '../../../schemas/middlewares.ts'
import { option } from './options.ts'
import type { Option, OptionTable } from './options.ts'
import { itemsOf, readChoice, readDuration, readFlag, readInteger, readList, readName, readNetwork, readPath, readPort, readRaw, readScheme, readSize, readText, readUrl } from './values.ts'
import type { Reader } from './values.ts'

/** The members of a middleware, as its labels gave them so far. */
export type MiddlewareDraft = Map<string, unknown>

export type MiddlewareTable = OptionTable<MiddlewareDraft> & {
  kind: MiddlewareKind
  /** Members without which nothing can be built. */
  required: readonly string[]
  /** `<kind>=true` is enough. */
  isBare?: boolean
  /** Labels that narrow who may pass: what they ask for cannot be done, so nobody passes. */
  closing?: Readonly<Record<string, string>>
}

type Members<K extends MiddlewareKind> = keyof NonNullable<Middleware[K]> & string

function table<K extends MiddlewareKind> (kind: K, options: Record<string, readonly [Members<K>, Reader<unknown>] | Option<MiddlewareDraft>>, rest: Partial<Omit<MiddlewareTable, 'kind' | 'options'>> = {}): MiddlewareTable {
  const entries = Object.entries(options).map(([name, given]) => [name, 'apply' in given ? given : member(...given)] as const)
  return { kind, required: [], options: new Map(entries), ...rest }
}

function member (name: string, read: Reader<unknown>): Option<MiddlewareDraft> {
  return option(read, (draft, value) => { draft.set(name, value) })
}

/** Like `member`, but the value stands for "no limit" and is left out. */
function limit (name: string, read: Reader<number>, none: string): Option<MiddlewareDraft> {
  const { apply, ...rest } = member(name, read)
  return { ...rest, apply: (draft, text, key) => text.trim() === none ? undefined : apply(draft, text, key) }
}

/** Headers by name, which keeps its case. */
function headers (name: string): Option<MiddlewareDraft> {
  return option(readText(8192), (draft, value, header) => { draft.set(name, { ...draft.get(name) as object | undefined, [header]: value }) }, { isMap: true, isSecret: true })
}

/** An option that is nothing but one header of the answer. */
function responseHeader (header: string): Option<MiddlewareDraft> {
  return option(readText(8192), (draft, value) => { draft.set('custom_response_headers', { [header]: value, ...draft.get('custom_response_headers') as object | undefined }) })
}

/** `name:hash`; what is wrong with one is told without showing it. */
function readUsers (text: string) {
  const users = itemsOf(text)
  if (users.some((user) => user.includes(':$$'))) return { expected: 'each $ of a hash once; only compose files want it twice' }
  return users.length > 0 && users.length <= 1000 && users.every((user) => /^[^:\p{Cc}]+:[^:\p{Cc}]{1,512}$/u.test(user))
    ? { value: users }
    : { expected: 'name:hash as htpasswd -nB prints it, several with commas between' }
}

function readStatus (text: string) {
  return /^[1-5]\d\d(-[1-5]\d\d)?$/.test(text) ? { value: text } : { expected: 'a status or a range of them, 404 or 500-599' }
}

// Whether they are expressions is checked when the middleware is built.
const pattern = readRaw(1024)
const patterns = readList(pattern)
const words = readList(readText(4096, 1))
const CLIENT = 'Clients are told apart by the address of their connection; the depth in X-Forwarded-For is not heeded.'
const IN_MEMORY = 'Counts are kept in memory, not in Redis.'
const source = {
  unsupported: { 'sourcecriterion.ipstrategy.': CLIENT, 'redis.': IN_MEMORY },
  accepted: ['sourcecriterion', 'sourcecriterion.ipstrategy']
}
const allowList = table('ip_allow_list', {
  sourcerange: ['source_range', readList(readNetwork)],
  rejectstatuscode: ['reject_status_code', readInteger(400, 599)]
}, {
  required: ['source_range'],
  accepted: ['ipstrategy', 'ipstrategy.ipv6subnet'],
  closing: {
    'ipstrategy.depth': 'The address is that of the connection; one in X-Forwarded-For is not believed.',
    'ipstrategy.excludedips': 'The address is that of the connection; one in X-Forwarded-For is not believed.'
  }
})
const encodings = { zstd: 'zstd', br: 'br', gzip: 'gzip' } as const

/** The middlewares that are understood, by what they are called in labels, and the words below each. */
export const MIDDLEWARE_TABLES: ReadonlyMap<string, MiddlewareTable> = new Map(Object.entries({
  stripprefix: table('strip_prefix', { prefixes: ['prefixes', readList(readPath)] }, { required: ['prefixes'], accepted: ['forceslash'] }),
  stripprefixregex: table('strip_prefix_regex', { regex: ['regex', patterns] }, { required: ['regex'] }),
  addprefix: table('add_prefix', { prefix: ['prefix', readPath] }, { required: ['prefix'] }),
  replacepath: table('replace_path', { path: ['path', readPath] }, { required: ['path'] }),
  replacepathregex: table('replace_path_regex', { regex: ['regex', pattern], replacement: ['replacement', readText(2048)] }, { required: ['regex', 'replacement'] }),
  redirectscheme: table('redirect_scheme', { scheme: ['scheme', readScheme], port: ['port', readPort], permanent: ['permanent', readFlag] }, { required: ['scheme'] }),
  redirectregex: table('redirect_regex', { regex: ['regex', pattern], replacement: ['replacement', readText(2048, 1)], permanent: ['permanent', readFlag] }, { required: ['regex', 'replacement'] }),
  headers: table('headers', {
    customrequestheaders: headers('custom_request_headers'),
    customresponseheaders: headers('custom_response_headers'),
    sslproxyheaders: headers('ssl_proxy_headers'),
    accesscontrolalloworiginlist: ['access_control_allow_origin_list', words],
    accesscontrolalloworiginlistregex: ['access_control_allow_origin_list_regex', patterns],
    accesscontrolallowmethods: ['access_control_allow_methods', words],
    accesscontrolallowheaders: ['access_control_allow_headers', words],
    accesscontrolexposeheaders: ['access_control_expose_headers', words],
    accesscontrolallowcredentials: ['access_control_allow_credentials', readFlag],
    accesscontrolmaxage: ['access_control_max_age', readInteger(0)],
    addvaryheader: ['add_vary_header', readFlag],
    framedeny: ['frame_deny', readFlag],
    customframeoptionsvalue: ['custom_frame_options_value', readText(256)],
    contenttypenosniff: ['content_type_nosniff', readFlag],
    browserxssfilter: ['browser_xss_filter', readFlag],
    custombrowserxssvalue: responseHeader('X-XSS-Protection'),
    referrerpolicy: ['referrer_policy', readText(256)],
    permissionspolicy: ['permissions_policy', readText(4096)],
    featurepolicy: responseHeader('Feature-Policy'),
    contentsecuritypolicy: ['content_security_policy', readText(8192)],
    contentsecuritypolicyreportonly: responseHeader('Content-Security-Policy-Report-Only'),
    stsseconds: ['sts_seconds', readInteger(0)],
    stsincludesubdomains: ['sts_include_subdomains', readFlag],
    stspreload: ['sts_preload', readFlag],
    forcestsheader: ['force_sts_header', readFlag]
  }, {
    accepted: ['hostsproxyheaders'],
    unsupported: {
      sslredirect: 'Use the middleware redirectscheme with scheme=https instead.',
      ssltemporaryredirect: 'Use the middleware redirectscheme with scheme=https instead.',
      sslforcehost: 'Use the middleware redirectregex instead.',
      sslhost: 'Use the middleware redirectregex instead.',
      isdevelopment: 'There is no development mode; leave out the headers that you do not want.',
      publickey: 'Browsers no longer know Public-Key-Pins; leave it out.'
    },
    closing: { allowedhosts: 'Name the hosts in the rule of the router instead: Host(`a`) || Host(`b`).' }
  }),
  basicauth: table('basic_auth', {
    users: option(readUsers, (draft, value) => { draft.set('users', value) }, { isSecret: true }),
    realm: ['realm', readText(256)],
    removeheader: ['remove_header', readFlag],
    headerfield: ['header_field', readText(128, 1)]
  }, { required: ['users'], unsupported: { usersfile: 'The file is in the container of Traefik and cannot be read here: write its lines into users.' } }),
  forwardauth: table('forward_auth', {
    address: ['address', readUrl],
    trustforwardheader: ['trust_forward_header', readFlag],
    authresponseheaders: ['auth_response_headers', words],
    authresponseheadersregex: ['auth_response_headers_regex', pattern],
    authrequestheaders: ['auth_request_headers', words],
    addauthcookiestoresponse: ['add_auth_cookies_to_response', words],
    maxresponsebodysize: limit('max_response_body_size', readSize, '-1')
  }, {
    required: ['address'],
    accepted: ['maxbodysize'],
    unsupported: {
      'tls.': 'The certificate of the authentication server is verified as that of any other; tls settings have no effect.',
      headerfield: 'The name of the user is not written into logs; the label has no effect.',
      forwardbody: 'The authentication server gets the headers of a request only.',
      preservelocationheader: 'The Location of its answer passes as it is.',
      preserverequestmethod: 'The authentication server is asked with GET.'
    }
  }),
  token: table('token', {}, { isBare: true }),
  ipallowlist: allowList,
  ipwhitelist: allowList,
  ratelimit: table('rate_limit', {
    average: ['average', readInteger(0)],
    period: ['period', readDuration(86_400)],
    burst: ['burst', readInteger(1)],
    'sourcecriterion.requestheadername': ['source_header', readText(128, 1)],
    'sourcecriterion.requesthost': ['source_host', readFlag]
  }, { required: ['average'], ...source }),
  inflightreq: table('in_flight_req', {
    amount: ['amount', readInteger(1)],
    'sourcecriterion.requestheadername': ['source_header', readText(128, 1)],
    'sourcecriterion.requesthost': ['source_host', readFlag]
  }, { required: ['amount'], ...source }),
  compress: table('compress', {
    excludedcontenttypes: ['excluded_content_types', words],
    includedcontenttypes: ['included_content_types', words],
    minresponsebodybytes: ['min_response_body_bytes', readSize],
    encodings: ['encodings', readList(readChoice(encodings))],
    defaultencoding: ['default_encoding', readChoice(encodings)]
  }, { isBare: true }),
  buffering: table('buffering', {
    maxrequestbodybytes: limit('max_request_body_bytes', readSize, '0'),
    maxresponsebodybytes: limit('max_response_body_bytes', readSize, '0'),
    memrequestbodybytes: ['mem_request_body_bytes', readSize],
    memresponsebodybytes: ['mem_response_body_bytes', readSize],
    retryexpression: ['retry_expression', readText(256)]
  }),
  errors: table('errors', { status: ['status', readList(readStatus)], service: ['service', readName], query: ['query', readText(2048, 1)] }, {
    required: ['status', 'service'],
    unsupported: { 'statusrewrites.': 'A status is passed on as it is.', errorrequestheaders: 'The service that has the pages gets the headers of the request.' }
  }),
  retry: table('retry', { attempts: ['attempts', readInteger(1)], initialinterval: ['initial_interval', readDuration(86_400)] }, {
    accepted: ['timeout', 'maxrequestbodybytes', 'status', 'disableretryonnetworkerror', 'retrynonidempotentmethod']
  }),
  contenttype: table('content_type', { autodetect: ['auto_detect', readFlag] }, { isBare: true }),
  chain: table('chain', { middlewares: ['middlewares', readList(readName)] }, { required: ['middlewares'] })
}))

/** Traefik has them, dockAPI does not. */
export const UNSUPPORTED_MIDDLEWARES: Readonly<Record<string, string>> = {
  circuitbreaker: 'dockAPI has no circuit breaker; use a health check of the service, or take the middleware out of the route.',
  digestauth: 'dockAPI has no digest authentication; use basicauth over TLS, or forwardauth.',
  passtlsclientcert: 'dockAPI does not ask clients for certificates.',
  grpcweb: 'dockAPI does not translate gRPC-Web; use a proxy of your own in the container.',
  encodedcharacters: 'dockAPI passes paths on byte by byte; take the middleware out of the route.',
  plugin: 'Plugins of Traefik do not run here; use a middleware of dockAPI, or forwardauth.'
}

/** Members that are regular expressions. */
export const PATTERN_MEMBERS: readonly string[] = ['regex', 'access_control_allow_origin_list_regex', 'auth_response_headers_regex']
