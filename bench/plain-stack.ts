import { fork } from 'node:child_process'
import { once } from 'node:events'
import { TEST_RUN, engineFromEnvironment, removeTestResources } from '../test/support/engine.ts'
import { HEAD_SECONDS, MAX_STREAMS, TOKEN } from './support/attacks/attack.ts'
import type { Attack, Scene, Stack } from './support/attacks/attack.ts'
import { callerAttacks } from './support/attacks/callers.ts'
import { proxyAttacks } from './support/attacks/proxied.ts'
import { runAttacks } from './support/attacks/runs.ts'
import { listMade, setScene } from './support/attacks/scene.ts'
import type { Published } from './support/attacks/scene.ts'
import { shareAttacks } from './support/attacks/shares.ts'
import { createCleanup } from './support/gateway-app.ts'

/**
 * The same attacks on dockAPI and on its parts put together by their documentation (bench/support/plain-stack-server.ts): one row for each, whether
 * either holds, and what was seen where it falls short. `node bench/plain-stack.ts [WORD]` with a word runs the cases whose row has it. Proves
 * first that each check tells good from bad, and in each case that what is attacked works. Needs an engine; leaves nothing behind. Exit code 1
 * when dockAPI falls short.
 */
const [word = ''] = process.argv.slice(2)
const attacks = [...callerAttacks, ...runAttacks, ...proxyAttacks, ...shareAttacks].filter(({ id, name }) => `${id} ${name}`.includes(word))
for (const attack of attacks) attack.prove()

const engine = engineFromEnvironment()
const cleanup = createCleanup()
try {
  const { scene, published } = await setScene(engine, cleanup.test)
  const stacks = await startStacks(scene, published)
  const fallsShort = new Map(stacks.map(({ name }) => [name, 0]))
  console.log(`${''.padEnd(60)}${stacks.map(({ name }) => name.padEnd(14)).join('')}`)
  for (const attack of attacks) {
    const shorts = await row(attack, stacks, scene)
    for (const name of shorts) fallsShort.set(name, fallsShort.get(name)! + 1)
  }
  console.log(`${`holds, of ${attacks.length}`.padEnd(60)}${stacks.map(({ name }) => String(attacks.length - fallsShort.get(name)!).padEnd(14)).join('')}`)
  process.exitCode = fallsShort.get('dockAPI') === 0 ? 0 : 1
} finally {
  await cleanup.run()
  await removeTestResources(engine, TEST_RUN)
}
const left = await listMade(engine)
await engine.close()
if (left.length > 0) throw new Error(`${left.length} containers are left on the engine.`)

/** Attacks both, prints, and says who falls short. */
async function row ({ id, name, run }: Attack, stacks: Stack[], scene: Scene): Promise<string[]> {
  const results = []
  for (const stack of stacks) {
    await scene.clear()
    try {
      results.push({ stack, ...await run(stack, scene) })
    } catch (error) {
      throw new Error(`${id} ${name}, ${stack.name}: ${(error as Error).message}`, { cause: error })
    }
  }
  await scene.clear()
  const shorts = results.filter(({ holds }) => !holds)
  console.log(`${id.padEnd(4)} ${name.padEnd(55)}${results.map(({ holds }) => (holds ? 'holds' : 'falls short').padEnd(14)).join('')}`)
  for (const { stack, seen } of shorts) console.log(`       ${stack.name}: ${JSON.stringify(seen)}`)
  return shorts.map(({ stack }) => stack.name)
}

async function startStacks ({ application, closed }: Scene, ports: Published): Promise<Stack[]> {
  const plain = (env: object = {}) => forked('./support/plain-stack-server.ts', [application, String(ports.application), closed, String(ports.closed)], { PLAIN_TIMEOUT: String(HEAD_SECONDS), ...env })
  const dockapi = (env: object = {}) => forked('./support/api-server.ts', [], { DOCKAPI_CLIENT_TIMEOUT: String(HEAD_SECONDS), DOCKAPI_MAX_STREAMS: String(MAX_STREAMS), ...env })
  return [
    { name: 'plain stack', port: await plain(), portWithToken: await plain({ PLAIN_TOKEN: TOKEN }) },
    { name: 'dockAPI', port: await dockapi(), portWithToken: await dockapi({ DOCKAPI_TOKEN: TOKEN }) }
  ]
}

/** Starts a server that says its port and ends when this process lets go of it. */
async function forked (script: string, args: string[], env: object): Promise<number> {
  const child = fork(new URL(script, import.meta.url), args, { env: { ...process.env, ...env } })
  cleanup.test.after(async () => {
    const exited = once(child, 'exit')
    child.disconnect()
    await exited
  })
  const [port] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => { throw new Error(`${script} ended.`) })]) as [number]
  return port
}
