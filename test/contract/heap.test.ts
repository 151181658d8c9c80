import { readFile } from 'node:fs/promises'
import t from 'tap'

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8')
const FLAGS = ['--min-semi-space-size=16', '--max-semi-space-size=32']

t.test('every way to start gives young objects the same room (docs/adr/0005)', async (t) => {
  const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> }
  t.equal(scripts.start, `node ${FLAGS.join(' ')} src/main.ts`)
  t.equal((await read('src/main.ts')).split('\n')[0], `#!/usr/bin/env -S node ${FLAGS.join(' ')}`)
  t.match(await read('Dockerfile'), `CMD ${JSON.stringify(['node', ...FLAGS, 'src/main.ts']).replaceAll(',', ', ')}`)
})
