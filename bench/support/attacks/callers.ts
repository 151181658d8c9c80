import { JSON_TYPE, TOKEN, defineAttack, handshake, insist, isRefused, run, runBody, send, statusOf } from './attack.ts'
import type { Attack } from './attack.ts'

const FOREIGN = ['https://evil.test', 'null', 'http://app1.localhost']

/** Who may call: pages of other sites, names that were re-pointed, and what becomes of the caller's own token. */
export const callerAttacks: Attack[] = [
  defineAttack({
    id: 'S1',
    name: 'a Host that was re-pointed at this machine',
    async attack ({ port }, scene) {
      const id = await scene.place()
      insist(await statusOf(scene, port, {}) === 200, 'the list does not answer')
      insist(await handshake(scene, port, `/containers/${id}/exec?command=sh`) === 101, 'no command opens')
      const host = `evil.test:${port}`
      const list = await statusOf(scene, port, { host })
      const before = (await scene.made()).length
      const asked = await statusOf(scene, port, { method: 'POST', path: '/containers/run', host, headers: [JSON_TYPE], body: runBody(scene) })
      return { list, run: asked, exec: await handshake(scene, port, `/containers/${id}/exec?command=sh`, { host }), made: (await scene.made()).length - before }
    },
    holds: ({ list, run: asked, exec, made }) => [list, asked, exec].every((status) => status === 403 || status === 421) && made === 0,
    good: { list: 403, run: 421, exec: 403, made: 0 },
    bad: [{ list: 200, run: 403, exec: 403, made: 0 }, { list: 403, run: 403, exec: 101, made: 0 }, { list: 403, run: 403, exec: 403, made: 1 }]
  }),
  defineAttack({
    id: 'S2',
    name: 'a change that another site\'s page asks for',
    async attack ({ port }, scene) {
      insist((await run(scene, port))?.status === 201, 'no container runs')
      const id = (await scene.made())[0]!.id
      const statuses: number[] = []
      for (const headers of [...FOREIGN.map((origin) => [`Origin: ${origin}`]), ['Sec-Fetch-Site: cross-site']]) {
        statuses.push((await run(scene, port, {}, headers))?.status ?? 0)
        statuses.push(await statusOf(scene, port, { method: 'DELETE', path: `/containers/${id}?force=true`, headers }))
      }
      const made = await scene.made()
      return { statuses, made: made.length, isThere: made.some((container) => container.id === id) }
    },
    holds: ({ statuses, made, isThere }) => statuses.every((status) => status === 403) && made === 1 && isThere,
    good: { statuses: [403, 403], made: 1, isThere: true },
    bad: [{ statuses: [403, 200], made: 1, isThere: true }, { statuses: [403], made: 2, isThere: true }, { statuses: [403], made: 0, isThere: false }]
  }),
  defineAttack({
    id: 'S3',
    name: 'a change in a form that needs no preflight',
    async attack ({ port }, scene) {
      insist((await run(scene, port))?.status === 201 && (await scene.made()).length === 1, 'no container runs')
      await scene.clear()
      const statuses: number[] = []
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', undefined]) {
        statuses.push(await statusOf(scene, port, { method: 'POST', path: '/containers/run', headers: type === undefined ? [] : [`Content-Type: ${type}`], body: runBody(scene) }))
      }
      return { statuses, made: (await scene.made()).length }
    },
    holds: ({ statuses, made }) => statuses.every(isRefused) && made === 0,
    good: { statuses: [415, 400], made: 0 },
    bad: [{ statuses: [415, 201], made: 1 }, { statuses: [415, 500], made: 0 }]
  }),
  defineAttack({
    id: 'S4',
    name: 'CORS headers for another site\'s page',
    async attack ({ port }, scene) {
      const preflight = ['Access-Control-Request-Method: POST', 'Access-Control-Request-Headers: content-type', 'Access-Control-Request-Private-Network: true']
      const allowed: string[] = []
      for (const origin of FOREIGN) {
        for (const [method, headers] of [['GET', []], ['OPTIONS', preflight]] as Array<[string, string[]]>) {
          const answer = await send(scene, port, { method, path: '/containers', headers: [`Origin: ${origin}`, ...headers] })
          insist(answer !== undefined, `${method} is not answered`)
          for (const name of ['allow-origin', 'allow-credentials', 'allow-private-network']) {
            if (answer.header(`access-control-${name}`) !== undefined) allowed.push(`${method} ${origin} ${name}`)
          }
        }
      }
      return { allowed }
    },
    holds: ({ allowed }) => allowed.length === 0,
    good: { allowed: [] },
    bad: [{ allowed: ['GET null allow-origin'] }]
  }),
  defineAttack({
    id: 'S5',
    name: 'a WebSocket that another site\'s page opens',
    async attack ({ port }, scene) {
      const id = await scene.place()
      const open = async (headers: string[]) => await handshake(scene, port, `/containers/${id}/exec?command=sh`, { headers })
      insist(await open([]) === 101, 'no command opens')
      const statuses: number[] = []
      for (const origin of FOREIGN) statuses.push(await open([`Origin: ${origin}`]))
      return { statuses }
    },
    holds: ({ statuses }) => statuses.every((status) => status === 403),
    good: { statuses: [403, 403, 403] },
    bad: [{ statuses: [403, 101, 403] }]
  }),
  defineAttack({
    id: 'S7',
    name: 'the API\'s token on its way to an application',
    async attack ({ portWithToken }, scene) {
      insist(isRefused(await statusOf(scene, portWithToken, {})), 'no token is needed')
      await scene.say([{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' }])
      const status = await statusOf(scene, portWithToken, { path: `/proxy/${scene.application}/`, headers: [`Authorization: Bearer ${TOKEN}`] })
      insist(status === 200, 'the application is not reached')
      const heads = await scene.heard()
      return { requests: heads.length, withToken: heads.filter((head) => head.includes(TOKEN)).length }
    },
    holds: ({ requests, withToken }) => requests > 0 && withToken === 0,
    good: { requests: 1, withToken: 0 },
    bad: [{ requests: 1, withToken: 1 }, { requests: 0, withToken: 0 }]
  })
]
