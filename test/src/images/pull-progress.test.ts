import t from 'tap'
import { createPullTally } from '../../../src/images/pull-progress.ts'

t.test('the total is known when the last layer began, and is exact at the end', async (t) => {
  const tally = createPullTally()
  const note = (id: string, status: string, current?: number, total?: number) => tally.note({ id, status, progressDetail: { ...(current === undefined ? {} : { current }), ...(total === undefined ? {} : { total }) } })
  t.equal(tally.note({ id: '1', status: 'Pulling from team/app' }), undefined)
  t.equal(tally.note({ status: 'Digest: sha256:1' }), undefined)
  t.match(note('a', 'Already exists'), { layers: 1, layers_done: 1, downloaded_bytes: 0, total_bytes: 0 })
  t.match(note('b', 'Pulling fs layer'), { total_bytes: null })
  note('c', 'Waiting')
  t.match(note('b', 'Downloading', 40, 100), { downloaded_bytes: 40, total_bytes: null, current: 40, total: 100 })
  t.match(note('c', 'Downloading', 10, 50), { downloaded_bytes: 50, total_bytes: 150 })
  t.match(note('b', 'Download complete'), { downloaded_bytes: 110 })
  t.match(note('b', 'Extracting', 7, 100), { downloaded_bytes: 110 })
  note('c', 'Verifying Checksum')
  note('b', 'Pull complete')
  t.match(note('c', 'Pull complete'), { downloaded_bytes: 150, total_bytes: 150, layers: 3, layers_done: 3 })
})

t.test('a download that begins again is counted once', async (t) => {
  const tally = createPullTally()
  tally.note({ id: 'a', status: 'Downloading', progressDetail: { current: 80, total: 100 } })
  t.match(tally.note({ id: 'a', status: 'Retrying in 5 seconds' }), { downloaded_bytes: 80 })
  t.match(tally.note({ id: 'a', status: 'Downloading', progressDetail: { current: 1, total: 100 } }), { downloaded_bytes: 1, total_bytes: 100 })
})
