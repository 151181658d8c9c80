import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** ReDoc shows its maker's mark from another host; an empty picture stands in, so that the page loads nothing from elsewhere. */
const REMOTE_LOGO = 'https://cdn.redoc.ly/redoc/logo-mini.svg'
const EMPTY_PICTURE = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='

export const REDOC_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>dockAPI reference</title>
<link rel="icon" href="/redoc/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/redoc/page.css">
</head>
<body>
<main id="redoc"></main>
<script src="/redoc/redoc.standalone.js"></script>
<script src="/redoc/page.js"></script>
</body>
</html>
`

export const REDOC_STYLE = 'body { margin: 0 }\n'

export const REDOC_SCRIPT = `Redoc.init('/openapi.json', {
  hideDownloadButton: false,
  jsonSampleExpandLevel: 3,
  requiredPropsFirst: true,
  sortPropsAlphabetically: false,
  theme: { colors: { primary: { main: '#0b5fa5' } }, typography: { fontFamily: 'system-ui, sans-serif', headings: { fontFamily: 'system-ui, sans-serif' } } }
}, document.getElementById('redoc'))
`

/** ReDoc's script, whole; `undefined` where it is not installed (it is needed to build dockAPI, and packages carry a copy). */
export async function loadRedoc (): Promise<string | undefined> {
  const file = locateRedoc()
  if (file === undefined) return undefined
  return (await readFile(file, 'utf8')).replaceAll(REMOTE_LOGO, EMPTY_PICTURE)
}

function locateRedoc (): URL | undefined {
  const packaged = new URL('./assets/redoc.standalone.js', import.meta.url)
  if (existsSync(packaged)) return packaged
  try {
    return new URL(import.meta.resolve('redoc/bundles/redoc.standalone.js'))
  } catch {
    return undefined
  }
}
