import t from 'tap'
import { buildSpec, memoryBytes } from '../../../src/containers/spec.ts'

const config = { memory: 1024 ** 3, cpus: 1, pids: 512, publishHost: '127.0.0.1', capDrop: ['NET_RAW'] }

t.test('the least request gets limits, a loopback port and no new privileges', async (t) => {
  t.match(buildSpec({ image: 'nginx' }, 'nginx:latest', 80, config), {
    Image: 'nginx:latest',
    Env: [],
    Labels: { 'dockapi.managed': 'true', 'dockapi.container_port': '80' },
    ExposedPorts: { '80/tcp': {} },
    HostConfig: {
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
      Memory: 1024 ** 3,
      MemorySwap: 1024 ** 3,
      NanoCpus: 1e9,
      PidsLimit: 512,
      AutoRemove: false,
      RestartPolicy: { Name: 'no' },
      SecurityOpt: ['no-new-privileges'],
      CapDrop: ['NET_RAW']
    }
  })
})

t.test('members that were not asked for are not sent', async (t) => {
  const spec = buildSpec({ image: 'nginx' }, 'nginx:latest', undefined, config)
  for (const member of ['Cmd', 'Entrypoint', 'User', 'WorkingDir', 'Hostname', 'Healthcheck']) t.notOk(member in spec, member)
  t.notOk('NetworkMode' in spec.HostConfig!)
})

t.test('a command string is split as a shell splits words', async (t) => {
  const words = (command: string) => buildSpec({ image: 'x', command }, 'x:latest', 80, config).Cmd
  t.same(words('ls -la /'), ['ls', '-la', '/'])
  t.same(words('sh -c "echo \'a  b\' $HOME"'), ['sh', '-c', 'echo \'a  b\' $HOME'])
  t.same(words('a\\ b "c\\"d" \'\''), ['a b', 'c"d', ''])
  t.throws(() => words('echo "x'), { code: 'invalid_request', fields: [{ pointer: '/command' }] })
  t.throws(() => words('   '), { code: 'invalid_request' })
})

t.test('auto_remove rules out a restart policy', async (t) => {
  t.match(buildSpec({ image: 'x', auto_remove: true, restart_policy: 'always' }, 'x:latest', 80, config).HostConfig, { AutoRemove: true, RestartPolicy: { Name: 'no' } })
})

t.test('DOCKAPI_NETWORK is joined unless another network is asked for', async (t) => {
  const join = { ...config, network: 'dockapi' }
  t.equal(buildSpec({ image: 'x' }, 'x:latest', 80, join).HostConfig!.NetworkMode, 'dockapi')
  t.equal(buildSpec({ image: 'x', network: 'other' }, 'x:latest', 80, join).HostConfig!.NetworkMode, 'other')
})

t.test('sizes are read as the docker CLI writes them', async (t) => {
  for (const [text, bytes] of [['512m', 512 * 1024 ** 2], ['1.5g', 1.5 * 1024 ** 3], ['8388608', 8388608], ['6M', 6 * 1024 ** 2]] as const) t.equal(memoryBytes(text), bytes)
  for (const text of ['5m', '0', 'x', '1e9', '-1g']) t.throws(() => memoryBytes(text), { code: 'invalid_request', fields: [{ pointer: '/memory' }] })
})
