import { readFile, readdir } from 'node:fs/promises'

/** A package whose code is in the bundle. */
export type BundledPackage = {
  name: string
  version: string
  /** As SPDX writes it. */
  license: string
  /** What its licence wants to be kept with copies: the texts of its LICENSE, NOTICE and the like. */
  texts: string[]
}

/**
 * The packages that files belong to, by name.
 * @param inputs Paths below `root`; those of no package are left out.
 * @throws when a package names no licence: it may not be shipped then.
 */
export async function bundledPackages (root: URL, inputs: string[]): Promise<BundledPackage[]> {
  const folders = new Set(inputs.map((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+\//.exec(input)?.[0]).filter((folder) => folder !== undefined))
  const packages = await Promise.all([...folders].map(async (folder) => await readPackage(new URL(folder, root))))
  return packages.toSorted((one, other) => `${one.name}@${one.version}` < `${other.name}@${other.version}` ? -1 : 1)
}

async function readPackage (folder: URL): Promise<BundledPackage> {
  const { name, version, license } = JSON.parse(await readFile(new URL('package.json', folder), 'utf8')) as { name: string, version: string, license?: string }
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).toSorted()
  if (license === undefined) throw new Error(`${name} names no licence: it cannot be bundled.`)
  const texts = await Promise.all(files.map(async (file) => (await readFile(new URL(file, folder), 'utf8')).trim()))
  return { name, version, license, texts }
}

export function renderLicences (packages: BundledPackage[]): string {
  const sections = packages.map(({ name, version, license, texts }) => [`${name} ${version} (${license})`, ...texts].join('\n\n'))
  return `dockAPI contains these packages, each under its own licence.\n\n${sections.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}

/** A bill of materials (CycloneDX 1.5), for programs that look for known faults in packages: they cannot see into a bundle. */
export function renderBill (packages: BundledPackage[]): string {
  const components = packages.map(({ name, version, license }) => ({
    type: 'library', name, version, licenses: [{ expression: license }], purl: `pkg:npm/${name.replace('@', '%40')}@${version}`
  }))
  return `${JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, components }, null, 2)}\n`
}
