/** One call of the API that the demo shows. */
export type DemoCall = {
  title: string
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  body?: Record<string, unknown>
}

/** What to try while the demo runs, in this order; the last call puts back what the second made. */
export function listDemoCalls (image: string, name: string): DemoCall[] {
  return [
    { title: 'list containers', method: 'GET', path: '/containers' },
    { title: 'run a second one', method: 'POST', path: '/containers/run', body: { image, name: `${name}-2`, wait_ready: true } },
    { title: 'reach it', method: 'GET', path: `/proxy/${name}-2/cgi-bin/request` },
    { title: 'read a log', method: 'GET', path: `/containers/${name}/logs?tail=5` },
    { title: 'run a command in it', method: 'POST', path: `/containers/${name}/exec`, body: { command: 'uname -a' } },
    { title: 'remove the second one', method: 'DELETE', path: `/containers/${name}-2?force=true` }
  ]
}

/** The call as a line for a POSIX shell. */
export function renderCurl (origin: string, { method, path, body }: DemoCall): string {
  const verb = method === 'GET' ? '' : ` -X ${method}`
  const data = body === undefined ? '' : ` -H 'content-type: application/json' -d '${JSON.stringify(body)}'`
  return `curl -s${verb} '${origin}${path}'${data}`
}

/** The call as a line for PowerShell; Invoke-RestMethod needs no quoting of quotes, which `curl.exe` does before PowerShell 7.3. */
export function renderPowerShell (origin: string, { method, path, body }: DemoCall): string {
  const verb = method === 'GET' ? '' : ` -Method ${method}`
  const data = body === undefined ? '' : ` -ContentType 'application/json' -Body '${JSON.stringify(body)}'`
  return `Invoke-RestMethod${verb} '${origin}${path}'${data}`
}
