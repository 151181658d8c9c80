import { findProgram, installPackages, mayInstallPackages, startsServices } from './apt.ts'
import type { Say } from './progress.ts'

type Need = {
  /** Programs of which one has to be there. */
  programs: string[]
  package: string
  /** The tests that are skipped without it. */
  tests: string
  /** Its package starts a service where an init system runs. */
  hasService?: boolean
}

const NEEDS: readonly Need[] = [
  { programs: ['chromium', 'chromium-browser', 'google-chrome'], package: 'chromium', tests: 'the browser tests' },
  { programs: ['openssl'], package: 'openssl', tests: 'the tests of engines behind TLS' },
  { programs: ['ssh'], package: 'openssh-client', tests: 'the tests of engines behind ssh' },
  { programs: ['sshd'], package: 'openssh-server', tests: 'the tests of engines behind ssh', hasService: true },
  { programs: ['docker-registry', 'registry'], package: 'docker-registry', tests: 'the tests of pulls from a registry', hasService: true },
  { programs: ['redis-server'], package: 'redis-server', tests: 'the test of a rate limit that instances share', hasService: true },
  { programs: ['haproxy'], package: 'haproxy', tests: 'the tests of socket proxies', hasService: true },
  { programs: ['docker-compose'], package: 'docker-compose', tests: 'the tests of compose files' }
]

/**
 * Installs the programs that some tests drive, where this machine allows it; elsewhere names what is missing and which
 * tests skip themselves. No package whose service would start listening is installed on a machine with an init system.
 * @returns What is there, for people.
 */
export async function provideTestNeeds (say: Say): Promise<string> {
  const missing = await findMissing(NEEDS)
  const mayInstall = await mayInstallPackages()
  const isQuiet = !await startsServices()
  const wanted = missing.filter(({ hasService }) => mayInstall && (isQuiet || hasService !== true))
  if (wanted.length > 0) await installPackages([...new Set(wanted.map((need) => need.package))], say)
  const absent = await findMissing(missing)
  for (const need of absent) say(`${need.programs[0]} is missing (Debian package ${need.package}): ${need.tests} are skipped`)
  return absent.length === 0 ? 'every program that the tests drive is there' : `${NEEDS.length - absent.length} of ${NEEDS.length} programs that the tests drive are there`
}

async function findMissing (needs: readonly Need[]): Promise<Need[]> {
  const paths = await Promise.all(needs.map(({ programs }) => Promise.all(programs.map(findProgram))))
  return needs.filter((_need, index) => paths[index]!.every((path) => path === undefined))
}
