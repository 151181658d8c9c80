import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Plugin } from 'esbuild'
import { bundledPackages, renderBill, renderLicences } from './bundled-packages.ts'

/**
 * Writes `dist/`, what `npm pack` and the image ship: the program with what it imports in a few files (ADR 5), the licences of what is in them,
 * and ReDoc's script. `dependencies` of package.json stay outside: they find files of their own beside themselves.
 */
const root = new URL('../', import.meta.url)
const dist = new URL('dist/', root)
const { dependencies } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { dependencies: Record<string, string> }

/** src/engine/modem.ts stands in for docker-modem; no session of BuildKit is opened. They bring ssh2, gRPC and protobuf. */
const withoutModem: Plugin = {
  name: 'without-modem',
  setup ({ onLoad }) {
    onLoad({ filter: /[\\/](docker-modem[\\/]lib[\\/]modem|dockerode[\\/]lib[\\/](session|buildkit))\.js$/ }, () => ({
      contents: 'module.exports = function () { throw new Error("dockAPI is built without this part of dockerode.") }'
    }))
  }
}

await rm(dist, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: fileURLToPath(root),
  entryPoints: { main: 'src/main.ts', 'password-thread': 'src/gateway/middlewares/password-thread.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  external: Object.keys(dependencies),
  plugins: [withoutModem],
  // Packages of the older module system call these.
  banner: { js: "import { createRequire as createRequireOfBundle } from 'node:module'\nconst require = createRequireOfBundle(import.meta.url), __dirname = import.meta.dirname" },
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  metafile: true
})

const packages = await bundledPackages(root, Object.keys(metafile.inputs))
await writeFile(new URL('THIRD-PARTY-LICENSES.txt', dist), renderLicences(packages))
await writeFile(new URL('bundled.cdx.json', dist), renderBill(packages))
await mkdir(new URL('assets/', dist))
for (const file of ['redoc.standalone.js', 'redoc.standalone.js.LICENSE.txt']) {
  await copyFile(new URL(import.meta.resolve(`redoc/bundles/${file}`)), new URL(`assets/${file}`, dist))
}
await chmod(new URL('main.js', dist), 0o755)
console.log(`dist/ written: dockAPI and ${packages.length} packages.`)
