import { readFileSync, readdirSync } from 'node:fs'
import t from 'tap'
import { knownSockets } from '../../../src/engine/known-sockets.ts'
import { NEWEST_API, OLDEST_API } from '../../../src/engine/version.ts'

const docs = readFileSync(new URL('../../../docs/engine.md', import.meta.url), 'utf8')

await t.test('docs/engine.md names the versions and the sockets that the code knows', async (t) => {
  t.match(docs, `API ${OLDEST_API}`)
  t.match(docs, `to ${NEWEST_API},`)
  const linux = knownSockets({ platform: 'linux', home: '~', uid: 1000 }, '$XDG_RUNTIME_DIR').slice(0, 6)
  for (const path of [...linux, ...knownSockets({ platform: 'win32', home: '', uid: undefined })]) t.match(docs, `\`${path}\``)
})

await t.test('each message that docs/engine.md explains is one that the code says', async (t) => {
  const folder = new URL('../../../src/engine/', import.meta.url)
  const code = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8')).join('\n').replaceAll("\\'", "'")
  const messages = [...docs.slice(docs.indexOf('## Messages')).matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1]!)
  const fixed = messages.filter((message) => !/\.\.\.|[/"]| ping /.test(message))
  t.ok(fixed.length >= 10, `${fixed.length} of ${messages.length} hold nothing of the moment`)
  for (const message of fixed) t.ok(code.includes(message), message)
})
