import t from 'tap'
import { passEvent, passEvents } from '../../../src/filter/events.ts'
import type { Switch } from '../../../src/filter/switches.ts'

const ALL = new Set<Switch>(['CONTAINERS', 'NETWORKS', 'IMAGES', 'VOLUMES', 'INFO', 'SERVICES', 'NODES'])
const event = (Type: string, Action: string, more = '') => `{"status":"${Action}","id":"a","Type":"${Type}","Action":"${Action}","Actor":{"ID":"a","Attributes":{}}${more},"timeNano":1796049378566123457}`

t.test('an event is seen where its section is on', async (t) => {
  const sections: Record<string, Switch> = { container: 'CONTAINERS', network: 'NETWORKS', image: 'IMAGES', volume: 'VOLUMES', daemon: 'INFO', service: 'SERVICES', node: 'NODES' }
  for (const [type, name] of Object.entries(sections)) {
    const line = event(type, 'start')
    t.equal(passEvent(line, { on: new Set([name]), isRedacted: true }), line, type)
    t.equal(passEvent(line, { on: new Set([...ALL].filter((other) => other !== name)), isRedacted: true }), undefined, type)
  }
})

t.test('types that have no section, and what is no event, are never seen', async (t) => {
  for (const line of [event('secret', 'create'), event('config', 'create'), event('plugin', 'enable'), event('toString', 'x'), 'null', '[]', '1', '{', '{"Type":"container"}', undefined]) t.equal(passEvent(line, { on: ALL, isRedacted: false }), undefined, line ?? 'too long')
})

t.test('commands are left out, and nothing else', async (t) => {
  for (const verb of ['exec_create', 'exec_start']) {
    const line = event('container', `${verb}: mysql -psecret\\nmore`, ',"x":1.50')
    t.equal(passEvent(line, { on: ALL, isRedacted: true }), event('container', `${verb}: [redacted]`, ',"x":1.50'))
    t.equal(passEvent(line, { on: ALL, isRedacted: false }), line)
  }
  for (const action of ['exec_die', 'health_status: healthy', 'start']) t.equal(passEvent(event('container', action), { on: ALL, isRedacted: true }), event('container', action))
  const newer = '{"Type":"container","Action":"exec_create: sh","time":1}'
  t.equal(passEvent(newer, { on: ALL, isRedacted: true }), '{"Type":"container","Action":"exec_create: [redacted]","time":1}')
})

t.test('lines may be cut anywhere', async (t) => {
  const bytes = Buffer.from(`${event('container', 'start')}\r\n${event('image', 'pull')}\n${event('container', 'größe')}\n`)
  for (const size of [1, 7, bytes.length]) {
    async function * chunks () { for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size) }
    let seen = ''
    for await (const text of passEvents(chunks(), { on: new Set(['CONTAINERS']), isRedacted: true })) seen += text
    t.equal(seen, `${event('container', 'start')}\n${event('container', 'größe')}\n`)
  }
})
