import t from 'tap'
import type { Middleware as Definition } from '../../../../schemas/middlewares.ts'
import { createMiddlewareGateway } from '../../../support/middleware-gateway.ts'
import { exchange } from '../../../support/raw-client.ts'

type Case = [definition: Definition, scheme: 'http' | 'https', request: string, status: number, location?: string]

const OLD = { redirect_regex: { regex: '^http://old\\.test/(.*)', replacement: 'https://new.test/$1' } }
const CASES: Case[] = [
  [{ redirect_scheme: { scheme: 'https' } }, 'http', 'GET /a%2Fb?q=1 app.test', 302, 'https://app.test/a%2Fb?q=1'],
  [{ redirect_scheme: { scheme: 'https', permanent: true } }, 'http', 'GET / app.test:8080', 301, 'https://app.test/'],
  [{ redirect_scheme: { scheme: 'https' } }, 'http', 'POST / app.test', 307, 'https://app.test/'],
  [{ redirect_scheme: { scheme: 'https', permanent: true } }, 'http', 'PUT / app.test', 308, 'https://app.test/'],
  [{ redirect_scheme: { scheme: 'https', port: 8443 } }, 'http', 'GET /x [::1]:80', 302, 'https://[::1]:8443/x'],
  [{ redirect_scheme: { scheme: 'https', port: 443 } }, 'http', 'GET / app.test', 302, 'https://app.test/'],
  [{ redirect_scheme: { scheme: 'https' } }, 'https', 'GET / app.test:8443', 200],
  [{ redirect_scheme: { scheme: 'https', port: 8443 } }, 'https', 'GET / app.test:8443', 200],
  [{ redirect_scheme: { scheme: 'https', port: 8443 } }, 'https', 'GET / app.test', 302, 'https://app.test:8443/'],
  [OLD, 'http', 'GET /a/b?c=d old.test', 302, 'https://new.test/a/b?c=d'],
  [OLD, 'http', 'GET / other.test', 200],
  [OLD, 'https', 'GET / old.test', 200],
  [OLD, 'http', 'GET /%0d%0aSet-Cookie:a=1 old.test', 302, 'https://new.test/%0d%0aSet-Cookie:a=1'],
  [{ redirect_regex: { regex: '^http://([^/]+)(/.*)?$', replacement: 'http://$1$2' } }, 'http', 'GET /same app.test', 200],
  [{ redirect_regex: { regex: '^https?://[^/]+(/.*)', replacement: '$1' } }, 'http', 'GET //evil.test/x app.test', 302, '/evil.test/x'],
  [{ redirect_regex: { regex: '^https?://[^/]+/(.*)', replacement: 'https://new.test$1' } }, 'http', 'GET /@evil.test/ app.test', 400],
  [{ redirect_regex: { regex: '^http://app.test/$', replacement: 'https://new.test/\r\nX-Bad: 1\u00e9' } }, 'http', 'GET / app.test', 302, 'https://new.test/%0D%0AX-Bad:%201%C3%A9'],
  // eslint-disable-next-line no-template-curly-in-string
  [{ redirect_regex: { regex: '^http://www\\.(.+)', replacement: 'https://${1}', permanent: true } }, 'http', 'HEAD /x www.app.test', 308, 'https://app.test/x']
]

t.test('redirects say where to, in one line, and to no host that the client chose', async (t) => {
  const gateway = await createMiddlewareGateway(t)
  for (const [definition, scheme, request, status, location] of CASES) {
    const name = `${JSON.stringify(definition)} ${scheme} ${request}`
    gateway.use(definition)
    gateway.scheme = scheme
    gateway.rawd.clear()
    const [method, target, host] = request.split(' ')
    const answer = await exchange(t, gateway.port, `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-Proto: https\r\nContent-Length: 0\r\n\r\n`)
    t.equal(answer.status, status, name)
    t.equal(answer.header('location'), location, name)
    t.equal(answer.header('x-bad'), undefined)
    t.equal(gateway.rawd.requests.length, status === 200 ? 1 : 0, name)
  }
})
