import t from 'tap'
import { isDockApiError } from '../../../src/errors.ts'
import { negotiateForm } from '../../../src/streams/form.ts'

const OFFERED = ['text', 'ndjson', 'sse'] as const

t.test('the form that the header likes best', async (t) => {
  const cases: Array<[accept: string | undefined, form: string]> = [
    [undefined, 'text'],
    ['*/*', 'text'],
    ['text/event-stream', 'sse'],
    ['TEXT/Event-Stream; charset=utf-8', 'sse'],
    ['application/*', 'ndjson'],
    ['text/*', 'text'],
    ['text/*;q=0.5, text/event-stream', 'sse'],
    ['text/plain;q=0.1, application/x-ndjson;q=0.2', 'ndjson'],
    ['text/html, application/xhtml+xml, */*;q=0.8', 'text'],
    ['*/*, text/plain;q=0', 'ndjson']
  ]
  for (const [accept, form] of cases) t.equal(negotiateForm(accept, OFFERED), form, `${accept}`)
})

t.test('no form that fits', async (t) => {
  for (const accept of ['', 'image/png', 'text/plain;q=0', '*/*;q=0', ',;q', 'application/json']) {
    try {
      negotiateForm(accept, OFFERED)
      t.fail(accept)
    } catch (error) {
      t.ok(isDockApiError(error, 'not_acceptable'), accept)
    }
  }
})

t.end()
