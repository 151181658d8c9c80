import t from 'tap'
import { preferredType } from '../../plugins/accept.ts'

const OFFERED = ['application/json', 'application/x-ndjson', 'text/event-stream'] as const

t.test('the form that the caller would have', async (t) => {
  const cases: Array<[string | undefined, string]> = [
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['text/event-stream', 'text/event-stream'],
    ['application/x-ndjson, */*;q=0.1', 'application/x-ndjson'],
    ['text/*', 'text/event-stream'],
    ['application/json;q=0.5, Text/Event-Stream', 'text/event-stream'],
    ['application/json;q=0, */*', 'application/x-ndjson'],
    ['image/png', 'application/json'],
    ['application/json;q=nonsense', 'application/json']
  ]
  for (const [accept, type] of cases) t.equal(preferredType(accept, OFFERED), type, String(accept))
})
