import t from 'tap'
import type { Declarations } from '../../../../src/gateway/labels/declarations.ts'
import { readDeclarations } from '../../../../src/gateway/labels/read.ts'
import { COMPOSE_SETS, environmentOf, labelsOf } from './compose-sets.ts'

type Expected = { port: number | undefined, routes: string[], middlewares: string[], problems: string[] }

/** Of each set: `rule -> service [middlewares] tls @entrypoints #priority`, what each middleware became, and the labels with a problem. */
const EXPECTED: Readonly<Record<string, Expected>> = {
  'whoami, the first one': {
    port: undefined,
    routes: ['Host(`whoami.example.com`) -> box tls @websecure'],
    middlewares: [],
    problems: []
  },
  'nothing but enable': {
    port: undefined,
    routes: [],
    middlewares: [],
    problems: []
  },
  'a port and no router': {
    port: 3000,
    routes: ['default -> app'],
    middlewares: [],
    problems: []
  },
  'a homelab application behind a file': {
    port: 7878,
    routes: ['Host(`radarr.example.org`) -> radarr-svc [chain-oauth@file] @https'],
    middlewares: [],
    problems: []
  },
  'a platform that writes labels itself': {
    port: 3000,
    routes: ['Host(`app.example.io`) && PathPrefix(`/`) -> http-0-x9k2 [redirect-to-https] @http', 'Host(`app.example.io`) && PathPrefix(`/`) -> https-0-x9k2 [gzip] tls @https'],
    middlewares: ['gzip: compress', 'redirect-to-https: redirect_scheme'],
    problems: []
  },
  'the same platform with a path': {
    port: 8080,
    routes: ['Host(`app.example.io`) && PathPrefix(`/api`) -> http-0-api [http-0-api-stripprefix http-basic-auth] @http'],
    middlewares: ['http-0-api-stripprefix: strip_prefix', 'http-basic-auth: basic_auth'],
    problems: []
  },
  'a portal that others ask': {
    port: undefined,
    routes: ['Host(`auth.example.com`) -> box tls @https'],
    middlewares: ['authelia: forward_auth'],
    problems: []
  },
  'one that asks the portal': {
    port: 80,
    routes: ['Host(`secure.example.com`) -> secure [authelia@docker]'],
    middlewares: [],
    problems: []
  },
  'a full-stack template, front end': {
    port: 80,
    routes: ['Host(`dashboard.example.com`) -> stack-frontend [https-redirect] @http', 'Host(`dashboard.example.com`) -> stack-frontend tls @https'],
    middlewares: [],
    problems: []
  },
  'redirecting www': {
    port: undefined,
    routes: ['Host(`example.com`) || Host(`www.example.com`) -> box [www]'],
    middlewares: ['www: redirect_regex'],
    problems: []
  },
  'nextcloud headers': {
    port: undefined,
    routes: ['Host(`cloud.example.com`) -> box [cloud-headers cloud-dav]'],
    middlewares: ['cloud-dav: replace_path_regex', 'cloud-headers: headers'],
    problems: []
  },
  'an API that browsers call': {
    port: undefined,
    routes: ['Host(`api.example.com`) -> box [cors]'],
    middlewares: ['cors: headers'],
    problems: []
  },
  'a dashboard of the proxy itself': {
    port: undefined,
    routes: ['Host(`traefik.example.com`) && (PathPrefix(`/api`) || PathPrefix(`/dashboard`)) -> api@internal [auth]'],
    middlewares: ['auth: basic_auth'],
    problems: []
  },
  'a controller with a certificate of its own': {
    port: 8443,
    routes: ['Host(`unifi.example.com`) -> unifi'],
    middlewares: [],
    problems: ['traefik.http.services.unifi.loadbalancer.serverstransport']
  },
  'two ports of one container': {
    port: undefined,
    routes: ['Host(`git.example.com`) -> git', 'Host(`registry.example.com`) -> registry'],
    middlewares: [],
    problems: []
  },
  'wildcard certificates': {
    port: undefined,
    routes: ['Host(`a.example.com`) -> box tls'],
    middlewares: [],
    problems: []
  },
  'sticky replicas with a health check': {
    port: 8069,
    routes: ['Host(`shop.example.com`) -> shop'],
    middlewares: [],
    problems: []
  },
  'longpolling beside the application': {
    port: undefined,
    routes: ['Host(`erp.example.com`) && PathPrefix(`/longpolling`) -> odoo-im #100', 'Host(`erp.example.com`) -> odoo'],
    middlewares: ['odoo-limit: buffering'],
    problems: []
  },
  'an API with limits': {
    port: undefined,
    routes: ['Host(`api.example.net`) -> box [rate inside flight big]'],
    middlewares: ['big: buffering', 'flight: in_flight_req', 'inside: ip_allow_list', 'rate: rate_limit'],
    problems: []
  },
  'error pages for everybody': {
    port: 8080,
    routes: ['HostRegexp(`{host:.+}`) -> error-pages-service [error-pages-middleware] #10'],
    middlewares: ['error-pages-middleware: errors'],
    problems: []
  },
  'a database beside the web page': {
    port: 8080,
    routes: ['Host(`adminer.example.com`) -> adminer'],
    middlewares: [],
    problems: ['traefik.tcp.routers.db.entrypoints']
  },
  'a stack that was made for Swarm': {
    port: 80,
    routes: ['Host(`s.example.com`) -> s [auth@swarm]'],
    middlewares: [],
    problems: ['traefik.docker.lbswarm', 'traefik.swarm.network']
  },
  'a plugin in front': {
    port: undefined,
    routes: ['Host(`p.example.com`) -> box [bouncer]'],
    middlewares: ['bouncer: closed'],
    problems: ['traefik.http.middlewares.bouncer.plugin.bouncer.crowdseclapikey']
  },
  'a chain of all there is to do to a path': {
    port: undefined,
    routes: ['Host(`c.example.com`) -> box [c-all]'],
    middlewares: ['c-add: add_prefix', 'c-all: chain', 'c-one: replace_path', 'c-retry: retry', 'c-strip: strip_prefix_regex', 'c-strip2: strip_prefix', 'c-type: content_type'],
    problems: []
  },
  'a service elsewhere': {
    port: undefined,
    routes: ['Host(`nas.example.com`) -> nas'],
    middlewares: [],
    problems: []
  },
  'labels of Traefik 1': {
    port: undefined,
    routes: [],
    middlewares: [],
    problems: ['traefik.backend']
  },
  slips: {
    port: undefined,
    routes: ['Host(`x.example.com`) -> x [guard]'],
    middlewares: ['guard: closed'],
    problems: ['traefik.http.router.x.tls', 'traefik.http.routers.x.entrypoint', 'traefik.http.routers.x.middleware', 'traefik.http.routers.x.priority', 'traefik.http.services.x.loadbalancer.server.prot', 'traefik.http.middlewares.guard.basicath.users']
  },
  'nginx-proxy, one host': {
    port: 8000,
    routes: ['Host(`foo.example.com`) -> foo.example.com'],
    middlewares: [],
    problems: []
  },
  'nginx-proxy, hosts, wildcards and expressions': {
    port: undefined,
    routes: ['Host(`foo.example.com`) -> foo.example.com', 'Host(`*.bar.com`) -> *.bar.com', 'HostRegexp(`^www\\.example\\..+$`) -> www.example.* #1', 'HostRegexp(`^app[0-9]+\\.test$`) -> ~^app[0-9]+\\.test$ #1', '(Host(`both.com`) || Host(`*.both.com`)) -> .both.com'],
    middlewares: [],
    problems: []
  },
  'nginx-proxy, below a path': {
    port: 443,
    routes: ['Host(`example.com`) && PathPrefix(`/app1/`) -> example.com/app1/ [virtual_dest@own]'],
    middlewares: ['virtual_dest@own: strip_prefix'],
    problems: []
  },
  'nginx-proxy, many ports': {
    port: undefined,
    routes: [],
    middlewares: [],
    problems: ['VIRTUAL_HOST_MULTIPORTS']
  },
  'dockAPI, one route': {
    port: 3000,
    routes: ['Host(`app.example.com`) -> box [auth@file strip_prefix@own]'],
    middlewares: ['strip_prefix@own: strip_prefix'],
    problems: []
  },
  'dockAPI, two routes': {
    port: 3000,
    routes: ['Host(`admin.example.com`) -> box-admin [auth]', 'PathPrefix(`/api`) -> box [strip_prefix.api@own]'],
    middlewares: ['strip_prefix.api@own: strip_prefix'],
    problems: []
  },
  'dockAPI over Traefik': {
    port: 3000,
    routes: ['Host(`r.example.com`) -> web'],
    middlewares: [],
    problems: ['traefik.http.services.r.loadbalancer.server.port']
  }
}

for (const set of COMPOSE_SETS) {
  await t.test(set.name, async (t) => {
    const declarations = readDeclarations({ name: 'box', labels: labelsOf(set), environment: environmentOf(set) })
    t.same(summaryOf(declarations), EXPECTED[set.name])
    for (const { message } of declarations.problems) t.match(message, /^[\w"].*[.?]$/, 'a sentence')
    for (const { service } of declarations.routes) t.ok(service.includes('@') || declarations.services.some(({ name }) => name === service), `${service} is declared`)
  })
}

await t.test('what a service, a middleware and a problem say is all there', async (t) => {
  const of = (name: string) => {
    const set = COMPOSE_SETS.find((set) => set.name === name)!
    return readDeclarations({ name: 'box', labels: labelsOf(set), environment: environmentOf(set) })
  }
  t.same(of('sticky replicas with a health check').services, [{ name: 'shop', port: 8069, settings: { sticky: { http_only: true, cookie: 'shop_lb', secure: true }, health: { interval: 10, timeout: 3, path: '/health' }, pass_host: false } }])
  t.same(of('nextcloud headers').middlewares[1], {
    name: 'cloud-headers',
    middleware: {
      headers: {
        custom_frame_options_value: 'SAMEORIGIN',
        custom_request_headers: { 'X-Forwarded-Proto': 'https' },
        custom_response_headers: { 'X-Robots-Tag': 'noindex,nofollow' },
        referrer_policy: 'no-referrer',
        sts_include_subdomains: true,
        sts_preload: true,
        sts_seconds: 15_552_000
      }
    }
  })
  t.same(of('a homelab application behind a file').network, 't2_proxy')
  t.same(of('slips').problems.map(({ suggestion }) => suggestion), [
    'traefik.http.routers.x.tls', 'traefik.http.routers.x.entrypoints', 'traefik.http.routers.x.middlewares', undefined, 'traefik.http.services.x.loadbalancer.server.port', 'traefik.http.middlewares.guard.basicauth.users'
  ])
})

function summaryOf ({ main, routes, middlewares, problems }: Declarations): Expected {
  return {
    port: main.port,
    routes: routes.map(({ rule, service, middlewares, isTls, entrypoints, priority }) => [
      `${rule ?? 'default'} -> ${service}`,
      ...(middlewares.length === 0 ? [] : [`[${middlewares.join(' ')}]`]),
      ...(isTls ? ['tls'] : []),
      ...(entrypoints.length === 0 ? [] : [`@${entrypoints.join()}`]),
      ...(priority === undefined ? [] : [`#${priority}`])
    ].join(' ')),
    middlewares: middlewares.map(({ name, middleware }) => `${name}: ${middleware === undefined ? 'closed' : Object.keys(middleware)[0]}`),
    problems: problems.map(({ label }) => label)
  }
}
