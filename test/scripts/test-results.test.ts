import t from 'tap'
import { countResults, describeCounts } from '../../scripts/test-results.ts'

const rows = [
  { name: 'all passed', output: '1..1\n# { total: 4, pass: 4 }\n# time=1ms\n', code: 0, line: '4 passed, 0 failed' },
  { name: 'some failed, some skipped', output: '# { total: 5, pass: 1, fail: 1, todo: 1, skip: 2 }\n', code: 1, line: '1 passed, 1 failed, 3 skipped' },
  { name: 'the last totals count, and none that are indented', output: '# { total: 9, pass: 9 }\n# { total: 2, pass: 2 }\n    # { total: 1, fail: 1 }\n', code: 0, line: '2 passed, 0 failed' },
  { name: 'no assertion failed but tap did', output: '# { total: 4, pass: 4 }\n', code: 1, line: '4 passed, 1 failed' },
  { name: 'tap wrote nothing', output: '', code: 1, line: '0 passed, 1 failed' }
]

for (const { name, output, code, line } of rows) {
  await t.test(name, async (t) => {
    t.equal(describeCounts(countResults(output, code)), line)
  })
}
