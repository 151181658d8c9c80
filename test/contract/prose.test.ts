import { access, readFile, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const documents = ['README.md', 'CONTRIBUTING.md', ...(await readdir(join(ROOT, 'docs'), { recursive: true })).filter((name) => name.endsWith('.md')).map((name) => join('docs', name))]

async function read (name: string): Promise<string> {
  return await readFile(join(ROOT, name), 'utf8')
}

const { paths } = JSON.parse(await read('openapi/openapi.json')) as { paths: Record<string, Record<string, unknown>> }
const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> }

/** Whether an operation of the API is written so, `{id}` and the like standing for any segment. */
function isOperation (method: string, path: string): boolean {
  const wanted = path.split('?')[0]!.replaceAll(/\{[^}]*\}/g, '{}').replace(/\/$/, '')
  return Object.entries(paths).some(([known, item]) => known.replaceAll(/\{[^}]*\}/g, '{}') === wanted && method.toLowerCase() in item)
}

for (const document of documents) {
  t.test(document, async (t) => {
    const text = await read(document)
    for (const [mention, method, path] of text.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^\s`]*)`/g)) {
      if (path!.startsWith('/proxy/{id}/') || document.includes('adr')) continue
      t.ok(isOperation(method!, path!), `${mention} is an operation`)
    }
    for (const [mention, name] of text.matchAll(/npm (?:run )?(start|test|demo|check|openapi|docs|build)\b/g)) t.ok(name! in scripts, `${mention} is a script`)
    for (const [, target] of text.matchAll(/\]\((?!https?:|#|\/)([^)#]+)(?:#[^)]*)?\)/g)) {
      t.resolves(access(join(ROOT, dirname(document), target!)), `${target} is there`)
    }
  })
}
