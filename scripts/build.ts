import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Writes `dist/`, what `npm pack` ships: compiled JavaScript (Node strips no types under node_modules) and ReDoc's script. */
const root = new URL('../', import.meta.url)
const dist = new URL('dist/', root)

await rm(dist, { recursive: true, force: true })
await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.resolve('typescript/lib/tsc.js')), '-p', 'tsconfig.build.json'], { cwd: fileURLToPath(root) })
await mkdir(new URL('assets/', dist))
for (const file of ['redoc.standalone.js', 'redoc.standalone.js.LICENSE.txt']) {
  await copyFile(new URL(import.meta.resolve(`redoc/bundles/${file}`)), new URL(`assets/${file}`, dist))
}
await chmod(new URL('src/main.js', dist), 0o755)
console.log('dist/ written.')
