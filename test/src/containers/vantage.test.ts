import t from 'tap'
import { remoteHostOf } from '../../../src/containers/vantage.ts'
import { resolveEndpoint } from '../../../src/engine/endpoint.ts'

t.test('an engine that is reached over the network has its ports at its own host', async (t) => {
  const cases: Array<[host: string, expected: string | undefined]> = [
    ['unix:///var/run/docker.sock', undefined],
    ['tcp://127.0.0.1:2375', undefined],
    ['tcp://localhost:2375', undefined],
    ['tcp://[::1]:2375', undefined],
    ['tcp://dockerproxy:2375', 'dockerproxy'],
    ['tcp://192.0.2.7:2375', '192.0.2.7'],
    ['tcp://[2001:db8::7]:2375', '2001:db8::7'],
    ['ssh://ann@build.example:2222', 'build.example'],
    ['ssh://127.0.0.1', undefined]
  ]
  for (const [DOCKER_HOST, expected] of cases) t.equal(remoteHostOf(resolveEndpoint({ DOCKER_HOST })), expected, DOCKER_HOST)
})
