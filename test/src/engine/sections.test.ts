import t from 'tap'
import { createSections } from '../../../src/engine/sections.ts'

await t.test('a refused question names its section', async (t) => {
  const sections = createSections()
  t.strictSame(sections.refused({ method: 'GET', path: '/v1.41/images/json?all=1' }), ['IMAGES'])
  t.strictSame(sections.refused({ method: 'GET', path: '/_ping' }), ['PING'])
  sections.allowed({ method: 'GET', path: '/v1.41/containers/json' })
  t.strictSame(sections.disabled(), ['IMAGES', 'PING'])
})

await t.test('a refused change blames POST where its section is known to be on, and both where it is not', async (t) => {
  const sections = createSections()
  sections.allowed({ method: 'GET', path: '/v1.41/containers/json' })
  t.strictSame(sections.refused({ method: 'POST', path: '/v1.41/containers/create?name=x' }), ['POST'])
  t.strictSame(createSections().refused({ method: 'DELETE', path: '/v1.41/volumes/x' }), ['VOLUMES', 'POST'])
})

await t.test('exec that could be created but not started lacks EXEC', async (t) => {
  const sections = createSections()
  sections.allowed({ method: 'POST', path: '/v1.41/containers/x/exec' })
  t.strictSame(sections.refused({ method: 'POST', path: '/v1.41/exec/y/start' }), ['EXEC'])
})

await t.test('what passes again is no longer off', async (t) => {
  const sections = createSections()
  sections.refused({ method: 'POST', path: '/v1.41/containers/create' })
  sections.allowed({ method: 'POST', path: '/v1.41/containers/create' })
  t.strictSame(sections.disabled(), [])
})

await t.test('start and stop, which have switches of their own, prove nothing about POST', async (t) => {
  const sections = createSections()
  sections.allowed({ method: 'GET', path: '/containers/json' })
  sections.allowed({ method: 'POST', path: '/v1.41/containers/x/start' })
  t.strictSame(sections.refused({ method: 'POST', path: '/v1.41/containers/create' }), ['POST'])
})

await t.test('a proxy that names its switches is believed, also when it names none', async (t) => {
  const sections = createSections()
  t.strictSame(sections.refused({ method: 'POST', path: '/v1.41/containers/x/stop' }, ['ALLOW_STOP']), ['ALLOW_STOP'])
  t.strictSame(sections.refused({ method: 'POST', path: '/v1.41/containers/create' }, []), [])
  t.strictSame(sections.disabled(), ['ALLOW_STOP'])
})
