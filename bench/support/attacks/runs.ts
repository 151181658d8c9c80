import { JSON_TYPE, defineAttack, insist, isRefused, run, runBody, statusOf } from './attack.ts'
import type { Attack, Made, Scene, Stack } from './attack.ts'

/** Rights over the host that a container of these has. */
function rightsOf (made: Made[]): string[] {
  return made.flatMap(({ privileged, capabilities, modes, mounts }) => [...privileged ? ['privileged'] : [], ...capabilities, ...modes, ...mounts])
}

type Outcome = { status: number, rights: string[] }

/** Asks for each, and looks at what the engine then has. A right on its own shows that looking finds it. */
async function ask ({ port }: Stack, scene: Scene, wishes: Array<Record<string, unknown>>, hostConfig: object): Promise<Outcome[]> {
  await scene.placeWith(hostConfig)
  insist(rightsOf(await scene.made()).length > 0, 'a container that has the right does not show it')
  await scene.clear()
  insist((await run(scene, port))?.status === 201, 'no container runs')
  insist(rightsOf(await scene.made()).length === 0, 'a harmless container has rights')
  await scene.clear()
  const outcomes: Outcome[] = []
  for (const wish of wishes) {
    const status = (await run(scene, port, wish))?.status ?? 0
    outcomes.push({ status, rights: rightsOf(await scene.made()) })
    await scene.clear()
  }
  return outcomes
}

const policy = {
  holds: ({ outcomes }: { outcomes: Outcome[] }) => outcomes.every(({ status, rights }) => rights.length === 0 && status < 500),
  good: { outcomes: [{ status: 403, rights: [] }] },
  bad: [{ outcomes: [{ status: 403, rights: [] }, { status: 201, rights: ['privileged'] }] }, { outcomes: [{ status: 500, rights: [] }] }]
}

/** Bodies that are not what the schema says. */
async function refusals ({ port }: Stack, scene: Scene, bodies: string[], types: string[] = [JSON_TYPE]) {
  insist((await run(scene, port))?.status === 201 && (await scene.made()).length === 1, 'no container runs')
  await scene.clear()
  const statuses: number[] = []
  for (const body of bodies) for (const type of types) statuses.push(await statusOf(scene, port, { method: 'POST', path: '/containers/run', headers: [type], body }))
  return { statuses, made: (await scene.made()).length }
}

const refused = {
  holds: ({ statuses, made }: { statuses: number[], made: number }) => statuses.every(isRefused) && made === 0,
  good: { statuses: [400, 415], made: 0 },
  bad: [{ statuses: [400, 201], made: 1 }, { statuses: [500], made: 0 }, { statuses: [201], made: 0 }]
}

/** What may be asked of the engine, and in which words. */
export const runAttacks: Attack[] = [
  defineAttack({
    ...policy,
    id: 'S12',
    name: 'privileged',
    attack: async (stack, scene) => ({ outcomes: await ask(stack, scene, [{ privileged: true }, { Privileged: true }, { HostConfig: { Privileged: true } }], { Privileged: true }) })
  }),
  defineAttack({
    ...policy,
    id: 'S12',
    name: 'added capabilities',
    attack: async (stack, scene) => ({ outcomes: await ask(stack, scene, [{ cap_add: ['ALL'] }, { CapAdd: ['SYS_ADMIN'] }, { HostConfig: { CapAdd: ['ALL'] } }], { CapAdd: ['SYS_ADMIN'] }) })
  }),
  defineAttack({
    ...policy,
    id: 'S12',
    name: 'folders of the host: / /etc /proc',
    attack: async (stack, scene) => ({ outcomes: await ask(stack, scene, [{ volumes: ['/:/h'] }, { volumes: ['/etc:/h:ro'] }, { volumes: ['/proc:/h'] }], { Binds: ['/:/h'] }) })
  }),
  defineAttack({
    ...policy,
    id: 'S12',
    name: 'the engine\'s socket',
    attack: async (stack, scene) => ({ outcomes: await ask(stack, scene, [{ volumes: ['/var/run/docker.sock:/s'] }, { volumes: ['/run:/h'] }], { Binds: ['/run:/h'] }) })
  }),
  defineAttack({
    ...policy,
    id: 'S12',
    name: 'namespaces of the host and of others: network',
    attack: async (stack, scene) => ({ outcomes: await ask(stack, scene, [{ network: 'host' }, { network: `container:${scene.application}`, container_port: undefined }], { NetworkMode: 'host' }) })
  }),
  defineAttack({
    ...policy,
    id: 'S12',
    name: 'namespaces of the host: pid, ipc, uts',
    attack: async (stack, scene) => ({ outcomes: await ask(stack, scene, [{ pid: 'host', ipc: 'host', uts: 'host' }, { PidMode: 'host' }, { HostConfig: { PidMode: 'host' } }], { PidMode: 'host' }) })
  }),
  defineAttack({
    ...refused,
    id: 'S13',
    name: 'one field twice, the harmful one last',
    attack: async (stack, scene) => await refusals(stack, scene, [
      runBody(scene, { network: 'bridge' }).replace(/}$/, ',"network":"host"}'),
      runBody(scene, { volumes: [] }).replace(/}$/, ',"volumes":["/:/h"]}')
    ])
  }),
  defineAttack({
    ...refused,
    id: 'G5',
    name: 'unknown fields',
    attack: async (stack, scene) => await refusals(stack, scene, [runBody(scene, { privileged: true }), runBody(scene, { comand: 'typo' })])
  }),
  defineAttack({
    ...refused,
    id: 'G5',
    name: 'fields of a wrong type',
    attack: async (stack, scene) => await refusals(stack, scene, [runBody(scene, { container_port: '80' }), runBody(scene, { auto_remove: 'true' }), runBody(scene, { env: { A: 1 } }), runBody(scene, { name: null })])
  }),
  defineAttack({
    ...refused,
    id: 'G5',
    name: '__proto__ and constructor.prototype',
    attack: async (stack, scene) => await refusals(stack, scene, [
      runBody(scene).replace(/}$/, ',"__proto__":{"privileged":true}}'),
      runBody(scene).replace(/}$/, ',"constructor":{"prototype":{"privileged":true}}}')
    ])
  }),
  defineAttack({
    ...refused,
    id: 'G5',
    name: 'content types that are nearly JSON, past the schema',
    attack: async (stack, scene) => await refusals(stack, scene, [runBody(scene, { image: undefined })], [
      'Content-Type: application/json\t', 'Content-Type: application/JSON ;x', 'Content-Type:  application/json', 'Content-Type: application/json garbage', 'Content-Type: application/json,text/plain'
    ])
  }),
  defineAttack({
    id: 'S11',
    name: 'a health_path that names another host',
    async attack ({ port }, scene) {
      await fetch(`http://127.0.0.1:${scene.trap.port}/`)
      const before = scene.trap.hits()
      insist(before > 0, 'nobody is caught')
      const statuses: number[] = []
      for (const path of [`@127.0.0.1:${scene.trap.port}/`, `//127.0.0.1:${scene.trap.port}/`, `http://127.0.0.1:${scene.trap.port}/`, '/a\r\nX: y']) {
        statuses.push((await run(scene, port, { wait_ready: true, health_path: path, wait_timeout: 1 }))?.status ?? 0)
        await scene.clear()
      }
      return { statuses, hits: scene.trap.hits() - before }
    },
    holds: ({ statuses, hits }) => hits === 0 && statuses.every((status) => status >= 400),
    good: { statuses: [400, 400], hits: 0 },
    bad: [{ statuses: [400], hits: 1 }, { statuses: [201], hits: 0 }]
  }),
  defineAttack({
    id: 'S11',
    name: 'a health_path that redirects elsewhere',
    async attack ({ port }, scene) {
      const before = scene.trap.hits()
      const url = `http://127.0.0.1:${scene.trap.port}/`
      const answer = await run(scene, port, { image: scene.nodeImage, command: redirectTo(url), wait_ready: true, health_path: '/', wait_timeout: 5 })
      insist(answer !== undefined && (answer.status === 201 || answer.status === 504), `the run answers ${answer?.status} ${answer?.body}`)
      return { hits: scene.trap.hits() - before }
    },
    holds: ({ hits }) => hits === 0,
    good: { hits: 0 },
    bad: [{ hits: 1 }]
  })
]

/** An application that sends everybody elsewhere. */
function redirectTo (url: string): string[] {
  return ['node', '-e', `require('node:http').createServer((_, response) => response.writeHead(302, { location: '${url}' }).end()).listen(80)`]
}
