import t from 'tap'
import { remoteHostOf } from '../../../src/containers/vantage.ts'
import { resolveEndpoint } from '../../../src/engine/endpoint.ts'

t.test('an engine on another machine is reached at the host of its address', async (t) => {
  const hosts: Array<[string, string]> = [
    ['tcp://build.example:2376', 'build.example'],
    ['tcp://dockerproxy:2375', 'dockerproxy'],
    ['tcp://10.1.2.3:2375', '10.1.2.3'],
    ['tcp://[fd00::2]:2375', 'fd00::2'],
    ['ssh://ann@build.example', 'build.example']
  ]
  for (const [address, host] of hosts) t.equal(remoteHostOf(resolveEndpoint({ DOCKER_HOST: address })), host, address)
})

t.test('a loopback address, as of a socket proxy or a tunnel, is this machine', async (t) => {
  for (const address of ['tcp://127.0.0.1:2375', 'tcp://localhost:2375', 'tcp://[::1]:2375', 'unix:///var/run/docker.sock']) t.equal(remoteHostOf(resolveEndpoint({ DOCKER_HOST: address })), undefined, address)
})

t.end()
