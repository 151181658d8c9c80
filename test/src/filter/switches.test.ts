import t from 'tap'
import { ConfigError } from '../../../src/config/load.ts'
import { NEVER, ON_BY_DEFAULT, readSwitches, SWITCHES } from '../../../src/filter/switches.ts'

t.test('with nothing said, what is on is what socket proxies have on', async (t) => {
  t.same([...readSwitches([])].sort(), ['EVENTS', 'PING', 'VERSION'])
})

t.test('a name switches on, in any case and in the spelling of an environment', async (t) => {
  for (const item of ['containers', 'CONTAINERS', 'CONTAINERS=1']) t.same([...readSwitches([item])].sort(), ['CONTAINERS', 'EVENTS', 'PING', 'VERSION'], item)
})

t.test('=0 switches off, also what is never on', async (t) => {
  t.same([...readSwitches(['events=0', 'PING=0', 'networks', 'EXEC=0', 'post=0'])].sort(), ['NETWORKS', 'VERSION'])
})

t.test('every switch can be named, and none that opens the machine is one', async (t) => {
  t.equal(readSwitches(SWITCHES).size, SWITCHES.length)
  for (const name of [...ON_BY_DEFAULT]) t.ok(SWITCHES.includes(name))
  for (const name of Object.keys(NEVER)) t.notOk((SWITCHES as readonly string[]).includes(name), name)
})

t.test('what is unknown, and what is never opened, is told at once with what to write', async (t) => {
  const read = () => readSwitches(['containers', 'container', 'EXEC', 'images=2', 'BUILD=1', '__proto__=1', 'events=0=1'])
  t.throws(read, ConfigError)
  try { read() } catch (error) {
    const { problems } = error as ConfigError
    t.match(problems, [/"container": write one of PING, VERSION/, /"EXEC", which the filter never opens: it runs commands/, /"images=2"/, /"BUILD=1", which the filter never opens/, /"__proto__=1"/, /"events=0=1"/])
    t.equal(problems.length, 6)
  }
})
