import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { ContainerSpec } from '../../../src/engine/containers.ts'
import { enforce, judge } from '../../../src/policy/policy.ts'

const folder = t.testdir({ allowed: { data: {} }, outside: {} })
const root = join(folder, 'allowed')
symlinkSync('/', join(root, 'to-root'))
symlinkSync(join(folder, 'outside'), join(root, 'to-outside'))
mkdirSync(join(folder, 'allowed-not'), { recursive: true })

function bind (source: string): ContainerSpec {
  return { HostConfig: { Mounts: [{ Type: 'bind', Source: source, Target: '/x' }] } }
}

t.test('what a run asks for is allowed', async (t) => {
  const spec: ContainerSpec = { HostConfig: { SecurityOpt: ['no-new-privileges'], NetworkMode: 'my-network', Mounts: [{ Type: 'volume', Source: 'cache', Target: '/c' }], Privileged: false, CapAdd: [] } }
  t.same(await judge(spec, { volumeRoots: [] }), [])
})

t.test('host rights are denied, each named', async (t) => {
  const specs: Array<[string, NonNullable<ContainerSpec['HostConfig']>]> = [
    ['Privileged', { Privileged: true }],
    ['CapAdd', { CapAdd: ['SYS_ADMIN'] }],
    ['Devices', { Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '/dev/sda', CgroupPermissions: 'rwm' }] }],
    ['VolumesFrom', { VolumesFrom: ['other'] }],
    ['Sysctls', { Sysctls: { 'kernel.msgmax': '1' } }],
    ['Binds', { Binds: ['/:/host'] }],
    ['Runtime', { Runtime: 'other' }],
    ['CgroupParent', { CgroupParent: '/x' }],
    ['ExtraHosts', { ExtraHosts: ['host.docker.internal:host-gateway'] }],
    ['NetworkMode', { NetworkMode: 'host' }],
    ['NetworkMode', { NetworkMode: 'container:other' }],
    ['PidMode', { PidMode: 'host' }],
    ['IpcMode', { IpcMode: 'host' }],
    ['UTSMode', { UTSMode: 'host' }],
    ['UsernsMode', { UsernsMode: 'host' }],
    ['SecurityOpt', { SecurityOpt: ['seccomp=unconfined'] }],
    ['SecurityOpt', { SecurityOpt: ['apparmor=unconfined'] }],
    ['VolumeOptions', { Mounts: [{ Type: 'volume', Source: 'v', Target: '/v', VolumeOptions: { NoCopy: false, Labels: {}, DriverConfig: { Name: 'local', Options: { type: 'none', o: 'bind', device: '/' } } } }] }]
  ]
  for (const [rule, HostConfig] of specs) t.match(await judge({ HostConfig }, { volumeRoots: ['/'] }), [{ rule }], rule)
})

t.test('binds stay inside the roots, links resolved', async (t) => {
  const roots = { volumeRoots: [root] }
  t.same(await judge(bind(join(root, 'data')), roots), [])
  t.same(await judge(bind(`${root}/data/../data/`), roots), [])
  t.same(await judge(bind(join(root, 'not-there-yet')), roots), [])
  for (const source of ['/', '//', '/etc', '/etc/passwd', '/var/run/docker.sock', '/run/user/1000/podman/podman.sock', '/proc/1', '/sys', '/dev/sda', '/var/lib/docker/volumes', '/var', folder, `${root}/../outside`, `${root}-not`, join(root, 'to-outside'), join(root, 'to-root', 'etc'), join(root, 'to-root', 'nothing', 'here'), `${root}/.`.replace('allowed', 'outside')]) {
    t.match(await judge(bind(source), roots), [{ rule: 'Mounts' }], source)
  }
})

t.test('system paths are denied whatever the roots say', async (t) => {
  for (const source of ['/', '/etc', '/var/run/docker.sock']) t.match(await judge(bind(source), { volumeRoots: ['/'] }), [{ rule: 'Mounts' }], source)
})

t.test('Windows folders are compared as Windows does', async (t) => {
  const roots = { volumeRoots: ['C:\\data'] }
  t.same(await judge(bind('c:/DATA/sub'), roots), [])
  for (const source of ['C:\\database', 'C:\\data\\..\\Windows', 'D:\\data', '\\\\server\\share']) t.match(await judge(bind(source), roots), [{ rule: 'Mounts' }], source)
})

t.test('a refusal names the rule and the setting', async (t) => {
  await t.rejects(enforce(bind('/srv'), { volumeRoots: [] }), { code: 'policy_denied', hint: /DOCKAPI_VOLUME_ROOTS/, details: { denials: [{ rule: 'Mounts' }] } })
})
