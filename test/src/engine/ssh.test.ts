import t from 'tap'
import { resolveEndpoint } from '../../../src/engine/endpoint.ts'
import type { Endpoint } from '../../../src/engine/endpoint.ts'
import { dialSsh, sshArguments } from '../../../src/engine/ssh.ts'

type SshEndpoint = Extract<Endpoint, { kind: 'ssh' }>
const endpoint = (value: string) => resolveEndpoint({ DOCKER_HOST: value }) as SshEndpoint

await t.test('user, port and host are arguments of their own, the host behind the end of the options', async (t) => {
  t.strictSame(sshArguments(endpoint('ssh://ann@build.example:2222')),
    ['-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10', '-l', 'ann', '-p', '2222', '--', 'build.example', 'docker', 'system', 'dial-stdio'])
  t.strictSame(sshArguments(endpoint('ssh://build')), ['-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10', '--', 'build', 'docker', 'system', 'dial-stdio'])
  t.strictSame(sshArguments(endpoint('ssh://build/run/user/1000/docker.sock')).slice(-5), ['docker', '--host', 'unix:///run/user/1000/docker.sock', 'system', 'dial-stdio'])
})

await t.test('a machine without ssh says so', async (t) => {
  const stream = dialSsh(endpoint('ssh://build'), { PATH: '/nowhere' })
  const error = await new Promise<Error>((resolve) => stream.once('error', resolve))
  t.match(error, { code: 'ESSH', message: /ssh cannot be started/ })
})
