import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'

/**
 * Writes a generated file of the repository, or, with the flag `--check`, says what to do when it is out of date and lets the process exit with 1.
 * @param path From the top of the repository.
 * @param command What regenerates it.
 */
export async function writeOrCheck (path: string, text: string, command: string): Promise<void> {
  const { values: { check } } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
  const file = new URL(`../${path}`, import.meta.url)
  const isCurrent = await readFile(file, 'utf8').catch(() => '') === text
  if (isCurrent) return console.log(`${path} is up to date.`)
  if (check) {
    console.error(`${path} is out of date. Run "${command}" and commit the result.`)
    process.exitCode = 1
    return
  }
  await writeFile(file, text)
  console.log(`${path} written.`)
}
