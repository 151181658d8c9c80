export type CatalogueEntry = { code: string, status: number, title: string, hint: string | undefined, isRetryable: boolean }

/** The page that the `type` of every problem document points to. */
export function renderErrorPage (catalogue: readonly CatalogueEntry[]): string {
  const rows = catalogue.map(({ code, status, title, hint = '', isRetryable }) =>
    `<tr id="${code}"><td><a href="#${code}"><code>${code}</code></a></td><td>${status}</td><td>${escape(title)}</td><td>${escape(hint)}</td><td>${isRetryable ? 'yes' : ''}</td></tr>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>dockAPI errors</title>
<link rel="icon" href="/redoc/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/errors.css">
</head>
<body>
<h1>Errors</h1>
<p>Every failure is a problem document (RFC 9457) with one of these codes. <a href="/docs">API</a></p>
<table>
<thead><tr><th>code</th><th>status</th><th>meaning</th><th>what to do</th><th>may be retried</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</body>
</html>
`
}

export const ERROR_PAGE_STYLE = `body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1c2733 }
a { color: #0b5fa5 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid #d8dee5 }
tr:target { background: #fff4ce }
code { white-space: nowrap }
`

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
