import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { watchMiddlewareFile } from '../../../src/gateway/middleware-file.ts'
import { until } from '../../support/until.ts'

t.test('a file that is not there is told of once, and read when it comes', async (t) => {
  const path = join(t.testdir(), 'middlewares.yaml')
  const problems: string[] = []
  const file = watchMiddlewareFile(path, { onChange () {}, onProblem: (problem) => { problems.push(problem) } })
  t.after(() => { file.close() })
  // The watcher's own first look comes before this one.
  await t.rejects(access(path))
  await writeFile(path, 'middlewares: { short: { strip_prefix: { prefixes: [/api] } } }\n')
  await until(() => file.middlewares.has('short'))
  t.match(problems, [/cannot be read: ENOENT/])
  t.equal(problems.length, 1)
})
