import type { Answer } from '../../../test/support/raw-client.ts'
import type { Step } from '../../../test/support/raw-upstream.ts'
import { JSON_TYPE, defineAttack, insist, runBody, send } from './attack.ts'
import type { Attack, Scene, Stack } from './attack.ts'

const SHARED = ['service-worker-allowed', 'clear-site-data', 'strict-transport-security', 'alt-svc']
/** What a message must not say of the inside: an address with a port, a path of this machine, a line of a stack. */
const INSIDE = /\b(?:127\.0\.0\.1|172\.\d+\.\d+\.\d+):\d+|\/(?:home|usr|var|tmp|root)\/|node_modules|\n?\s+at \S+ \(/

const CHUNKS = 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'

function answering (lines: string[], body = 'ok'): Step[] {
  return [{ wait: 'body' }, { send: ['HTTP/1.1 200 OK', ...lines, `Content-Length: ${body.length}`, '', body].join('\r\n') }]
}

/** What the application's answer has become; its own mark has to have arrived. */
async function through ({ port }: Stack, scene: Scene, lines: string[]): Promise<Answer> {
  await scene.say(answering(['X-Mark: here', ...lines]))
  const answer = await send(scene, port, { path: `/proxy/${scene.application}/` })
  insist(answer?.status === 200 && answer.header('x-mark') === 'here', 'the application is not reached')
  return answer
}

/** What passes between a client and an application. */
export const proxyAttacks: Attack[] = [
  defineAttack({
    id: 'S9',
    name: 'cookies of one application for the whole origin',
    async attack (stack, scene) {
      const answer = await through(stack, scene, ['Set-Cookie: sid=1; Path=/; HttpOnly', 'Set-Cookie: x=1; Domain=localhost; Path=/', 'Set-Cookie: y=1; path=/a'])
      return { cookies: answer.all('set-cookie') }
    },
    holds: ({ cookies }) => cookies.length === 3 && cookies.every((cookie) => !/;\s*domain=/i.test(cookie) && /;\s*path=\/proxy\/[^;]+/i.test(cookie)),
    good: { cookies: ['sid=1; Path=/proxy/a/', 'x=1; Path=/proxy/a/', 'y=1; path=/proxy/a/a'] },
    bad: [{ cookies: ['sid=1; Path=/', 'x=1; Path=/proxy/a/', 'y=1; Path=/proxy/a/'] }, { cookies: ['a; Path=/proxy/a/', 'b; Domain=localhost; Path=/proxy/a/', 'c; Path=/proxy/a/'] }, { cookies: [] }]
  }),
  defineAttack({
    id: 'S10',
    name: 'headers that speak for the whole origin',
    async attack (stack, scene) {
      const answer = await through(stack, scene, ['Service-Worker-Allowed: /', 'Clear-Site-Data: "*"', 'Strict-Transport-Security: max-age=9999; includeSubDomains', 'Alt-Svc: h2=":443"'])
      return { passed: SHARED.filter((name) => answer.header(name) !== undefined) }
    },
    holds: ({ passed }) => passed.length === 0,
    good: { passed: [] },
    bad: [{ passed: ['alt-svc'] }]
  }),
  defineAttack({
    id: 'B1',
    name: 'hop-by-hop headers of an answer',
    async attack (stack, scene) {
      const answer = await through(stack, scene, ['Connection: x-private', 'X-Private: 1', 'Keep-Alive: timeout=99', 'Proxy-Authenticate: Basic', 'TE: trailers', 'Upgrade: h2c'])
      const passed = ['x-private', 'proxy-authenticate', 'te', 'upgrade'].filter((name) => answer.header(name) !== undefined)
      return { passed: answer.all('keep-alive').includes('timeout=99') ? [...passed, 'keep-alive'] : passed }
    },
    holds: ({ passed }) => passed.length === 0,
    good: { passed: [] },
    bad: [{ passed: ['x-private'] }]
  }),
  defineAttack({
    id: 'A1',
    name: 'hop-by-hop headers of a request',
    async attack ({ port }, scene) {
      await scene.say(answering([]))
      const headers = ['Connection: x-private, keep-alive', 'X-Private: 1', 'Keep-Alive: timeout=99', 'TE: gzip;q=0.5, trailers', 'Proxy-Authorization: Basic eA==', 'X-Mark: here']
      const answer = await send(scene, port, { path: `/proxy/${scene.application}/`, headers })
      const [head = ''] = await scene.heard()
      insist(answer?.status === 200 && /^x-mark: here/im.test(head), 'the application is not reached')
      // `TE: trailers` can be the proxy's own (RFC 9110 10.1.4); what else the client's said cannot.
      return { passed: ['x-private', 'keep-alive', 'te: gzip', 'proxy-authorization'].filter((start) => new RegExp(`^${start}`, 'im').test(head)) }
    },
    holds: ({ passed }) => passed.length === 0,
    good: { passed: [] },
    bad: [{ passed: ['x-private'] }]
  }),
  defineAttack({
    id: 'B4',
    name: 'an answer that breaks off looks broken off',
    async attack ({ port }, scene) {
      const looksComplete = async (head: string, ...end: Step[]) => {
        await scene.say([{ send: `HTTP/1.1 200 OK\r\n${head}` }, { sleepMs: 100 }, ...end])
        const answer = await send(scene, port, { path: `/proxy/${scene.application}/` })
        return answer?.status === 200 && answer.isComplete
      }
      insist(await looksComplete(`${CHUNKS}0\r\n\r\n`), 'a whole answer does not look whole')
      const complete: string[] = []
      if (await looksComplete('Content-Length: 100\r\n\r\nabc', { end: true })) complete.push('a length')
      if (await looksComplete(CHUNKS, { end: true })) complete.push('chunks')
      if (await looksComplete(CHUNKS, { reset: true })) complete.push('chunks, reset')
      return { complete }
    },
    holds: ({ complete }) => complete.length === 0,
    good: { complete: [] },
    bad: [{ complete: ['chunks'] }]
  }),
  defineAttack({
    id: 'P8',
    name: 'a script in a path or Host that comes back',
    async attack ({ port }, scene) {
      const script = '<script>alert(1)</script>'
      const shown: string[] = []
      for (const sent of [{ path: `/proxy/${script}` }, { path: `/${script}` }, { host: script }]) {
        const answer = await send(scene, port, sent)
        insist(answer !== undefined, 'there is no answer')
        const isHtml = answer.header('content-type')?.includes('html') === true
        if (answer.body.includes(script) && (isHtml || answer.header('x-content-type-options') !== 'nosniff')) shown.push(isHtml ? 'as HTML' : 'without nosniff')
      }
      return { shown }
    },
    holds: ({ shown }) => shown.length === 0,
    good: { shown: [] },
    bad: [{ shown: ['as HTML'] }]
  }),
  defineAttack({
    id: 'S30',
    name: 'paths, addresses and stacks in errors of requests',
    async attack ({ port }, scene) {
      await scene.say([{ reset: true }])
      const answers: Array<[string, Answer | undefined]> = [
        ['no such container', await send(scene, port, { path: '/containers/nobody' })],
        ['no such route', await send(scene, port, { path: '/nowhere' })],
        ['an application that resets', await send(scene, port, { path: `/proxy/${scene.application}/` })],
        ['an application that does not listen', await send(scene, port, { path: `/proxy/${scene.closed}/` })],
        ['no JSON', await send(scene, port, { method: 'POST', path: '/containers/run', headers: [JSON_TYPE], body: '{' })],
        ['no image reference', await send(scene, port, { method: 'POST', path: '/containers/run', headers: [JSON_TYPE], body: runBody(scene, { image: 'UPPER/none' }) })]
      ]
      const wrong = answers.filter(([, answer]) => answer === undefined || answer.status < 400)
      insist(wrong.length === 0, `${wrong.map(([name]) => name).join(', ')}: no error`)
      return { told: answers.map(([name, answer]) => `${name}: ${answer!.body.slice(0, 300)}`) }
    },
    holds: ({ told }) => !told.some((message) => INSIDE.test(message)),
    good: { told: ['No route at /nowhere.', 'The application does not answer.'] },
    bad: [{ told: ['connect ECONNREFUSED 172.17.0.2:80'] }, { told: ['open /var/lib/x: no such file'] }, { told: ['Error: x\n    at answer (file:///x.ts:1:1)'] }]
  })
]
