import { findProgram } from '../../scripts/apt.ts'
import { programEntries } from '../../scripts/base-images.ts'
import { buildImage } from '../../scripts/images.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { busyboxImage, TEST_LABELS, TEST_RUN } from './engine.ts'

/** The path of this machine's haproxy; undefined without one. */
export const HAPROXY = await findProgram('haproxy')

/** Why tests with haproxy are skipped, or `false`. */
export const SKIP_HAPROXY: string | false = HAPROXY === undefined ? 'there is no haproxy' : false

/** An image with busybox and this machine's haproxy; it goes with the test. */
export async function buildHaproxyImage (engine: Engine): Promise<string> {
  const image = `dockapi-test-haproxy:${TEST_RUN}`
  const program = await programEntries(HAPROXY!, 'usr/sbin/haproxy')
  const dockerfile = `FROM ${await busyboxImage(engine)}\nENV PATH=/usr/sbin:/bin\nCOPY root /\n`
  const entries = program.map((entry) => ({ ...entry, path: `root/${entry.path}` }))
  await buildImage(engine, image, [{ path: 'Dockerfile', content: dockerfile }, ...entries], { labels: { ...TEST_LABELS } })
  return image
}
