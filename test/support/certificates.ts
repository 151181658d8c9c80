import { execFile, spawnSync } from 'node:child_process'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A throwaway certificate authority. Folders are as `DOCKER_CERT_PATH` wants them: `ca.pem`, `cert.pem`, `key.pem`. */
export type Authority = {
  /** @param names For subjectAltName, as OpenSSL writes them: `IP:127.0.0.1,DNS:localhost`. */
  issue (name: string, names: string): Promise<string>
}

export function hasOpenssl (): boolean {
  return spawnSync('openssl', ['version']).status === 0
}

/** Needs the `openssl` command. */
export async function createAuthority (folder: string): Promise<Authority> {
  await mkdir(folder, { recursive: true })
  const [ca, caKey] = [join(folder, 'ca.pem'), join(folder, 'ca-key.pem')]
  await openssl('req', '-x509', ...NEW_KEY, '-keyout', caKey, '-out', ca, '-days', '1', '-subj', '/CN=test authority', '-addext', 'basicConstraints=critical,CA:TRUE')

  async function issue (name: string, names: string) {
    const target = join(folder, name)
    await mkdir(target)
    const [request, extensions] = [join(target, 'request.pem'), join(target, 'extensions')]
    await writeFile(extensions, `subjectAltName=${names}\n`)
    await openssl('req', ...NEW_KEY, '-keyout', join(target, 'key.pem'), '-out', request, '-subj', `/CN=${name}`)
    await openssl('x509', '-req', '-in', request, '-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '1', '-extfile', extensions, '-out', join(target, 'cert.pem'))
    await copyFile(ca, join(target, 'ca.pem'))
    return target
  }
  return { issue }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

async function openssl (...args: string[]): Promise<void> {
  await run('openssl', args)
}
