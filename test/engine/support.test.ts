import t from 'tap'
import { busyboxImage, createTestEngine, nodeImage, removeTestResources, startTestContainer, TEST_RUN } from '../support/engine.ts'
import { waitForAnswer } from '../support/http.ts'

await t.test('a busybox container serves a file that was put into it', async (t) => {
  const engine = createTestEngine(t)
  const { hostPort } = await startTestContainer(engine, {
    image: await busyboxImage(engine),
    command: ['httpd', '-f', '-p', '80', '-h', '/www'],
    port: 80,
    files: [{ path: 'www/index.html', content: 'hello' }]
  })
  t.equal(await (await waitForAnswer(`http://127.0.0.1:${hostPort}/`)).text(), 'hello')
})

await t.test('a Node container runs a TypeScript file', async (t) => {
  const engine = createTestEngine(t)
  const { hostPort } = await startTestContainer(engine, {
    image: await nodeImage(engine),
    command: ['node', '/app/fixture.ts'],
    port: 80,
    files: [{ path: 'app/fixture.ts', content: 'import { createServer } from "node:http"\nconst text: string = "typed"\ncreateServer((_, answer) => answer.end(text)).listen(80)\n' }]
  })
  t.equal(await (await waitForAnswer(`http://127.0.0.1:${hostPort}/`)).text(), 'typed')
})

await t.test('what a run made is removed, and what another run made stays', async (t) => {
  const engine = createTestEngine(t)
  const image = await busyboxImage(engine)
  const { id } = await startTestContainer(engine, { image, command: ['sleep', '60'] })

  await removeTestResources(engine, `not-${TEST_RUN}`)
  t.match(await engine.call('inspect', (docker) => docker.getContainer(id).inspect()), { State: { Running: true } })

  await removeTestResources(engine, TEST_RUN)
  await t.rejects(engine.call('inspect', (docker) => docker.getContainer(id).inspect()))
})
