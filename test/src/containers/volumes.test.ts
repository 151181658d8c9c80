import t from 'tap'
import { parseVolume } from '../../../src/containers/volumes.ts'

t.test('host paths are binds, names are volumes', async (t) => {
  const read = (entry: string) => { const { Type, Source, Target, ReadOnly } = parseVolume(entry, 0); return [Type, Source, Target, ReadOnly] }
  t.same(read('/srv/data:/data'), ['bind', '/srv/data', '/data', false])
  t.same(read('/srv/data:/data:ro'), ['bind', '/srv/data', '/data', true])
  t.same(read('/srv/data:/data:rw'), ['bind', '/srv/data', '/data', false])
  t.same(read('C:/host/data:/data:ro'), ['bind', 'C:/host/data', '/data', true])
  t.same(read('d:\\host data:/data'), ['bind', 'd:\\host data', '/data', false])
  t.same(read('\\\\server\\share:/data'), ['bind', '\\\\server\\share', '/data', false])
  t.same(read('cache:/var/cache'), ['volume', 'cache', '/var/cache', false])
})

t.test('anything else is refused and named', async (t) => {
  for (const entry of ['', 'data', ':/data', '/data:', '/a:b', './a:/b', '../a:/b', '~/a:/b', 'x:/data', 'a b:/data', '/a:/b:ro,z', '/a:/b:RO', '/a:/b:ro:ro', '/a:/b/../c', '/a\n:/b', '/a\0:/b', 'C:/data']) {
    t.throws(() => parseVolume(entry, 3), { code: 'invalid_volume', fields: [{ pointer: '/volumes/3' }] }, JSON.stringify(entry))
  }
})
