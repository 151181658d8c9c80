import t from 'tap'
import { hasTokenInUrl, redactUrl, ticketInUrl, withoutTicket } from '../../../src/auth/url.ts'

const TICKET = `dockapi.ticket.${'x'.repeat(43)}`

t.test('a ticket is found and taken out; all else stays byte for byte', async (t) => {
  t.equal(ticketInUrl(`/a?ticket=${TICKET}`), TICKET)
  for (const url of ['/a', '/a?ticket=', '/a?ticket=their-own', `/a?other=${TICKET}`, `/${TICKET}`]) {
    t.equal(ticketInUrl(url), undefined, url)
    t.equal(withoutTicket(url), url)
  }
  t.equal(withoutTicket(`/a?ticket=${TICKET}`), '/a')
  t.equal(withoutTicket(`/a%2f?b=%7e&&ticket=${TICKET}&c&ticket=theirs`), '/a%2f?b=%7e&&c&ticket=theirs')
})

t.test('what is logged of a URL has no secret', async (t) => {
  t.equal(redactUrl('/a=b'), '/a=b')
  t.equal(redactUrl(`/a?x=1&token=s3cret&%74icket=${TICKET}&y=dockapi_${'z'.repeat(43)}`), '/a?x=1&token=[redacted]&ticket=[redacted]&y=[redacted]')
  t.equal(redactUrl('/containers/web/exec?command=login&command=s3cret&env=A%3Ds3cret&tty=true'), '/containers/web/exec?command=[redacted]&command=[redacted]&env=[redacted]&tty=true')
  t.equal(redactUrl('/images/build?build_arg=KEY%3Ds3cret'), '/images/build?build_arg=[redacted]')
  t.equal(redactUrl('/proxy/web/login?password=s3cret'), '/proxy/web/login?[redacted]')
})

t.test('a URL that is not percent-encoded rightly is read as it stands', async (t) => {
  t.equal(hasTokenInUrl('/a?%zz=1'), false)
  t.equal(hasTokenInUrl('/a?%zz=1&token=x'), true)
})
