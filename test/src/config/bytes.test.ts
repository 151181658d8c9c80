import t from 'tap'
import { parseBytes } from '../../../src/config/bytes.ts'

await t.test('sizes are read as the docker command writes them', async (t) => {
  for (const [text, bytes] of [['0', 0], ['1048576', 1048576], ['1b', 1], ['1k', 1024], ['512m', 512 * 1024 ** 2], ['512MB', 512 * 1024 ** 2], ['1.5g', 1.5 * 1024 ** 3], ['2GiB', 2 * 1024 ** 3], [' 1t ', 1024 ** 4]] as const) {
    t.equal(parseBytes(text), bytes, text)
  }
})

await t.test('what is no size is none', async (t) => {
  for (const text of ['', 'm', '-1m', '1x', '1.m', '1,5g', '1 2', '0x10', '1e3', '99999999999t', 'Infinity']) t.equal(parseBytes(text), undefined, text)
})
