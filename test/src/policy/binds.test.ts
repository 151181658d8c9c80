import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { judgeBind } from '../../../src/policy/binds.ts'

const folder = t.testdir({ allowed: { data: {} }, outside: {} })
const root = join(folder, 'allowed')
symlinkSync('/', join(root, 'to-root'))
symlinkSync(join(folder, 'outside'), join(root, 'to-outside'))
mkdirSync(join(folder, 'allowed-not'), { recursive: true })

t.test('S14: binds stay inside the roots, links resolved', async (t) => {
  for (const source of [join(root, 'data'), `${root}/data/../data/`, join(root, 'not-there-yet')]) t.same(await judgeBind(source, [root]), [], source)
  for (const source of ['/', '//', '/etc', '/etc/passwd', '/var/run/docker.sock', '/run/user/1000/podman/podman.sock', '/proc/1', '/sys', '/dev/sda', '/var/lib/docker/volumes', '/var', folder, `${root}/../outside`, `${root}-not`, join(root, 'to-outside'), join(root, 'to-root', 'etc'), join(root, 'to-root', 'nothing', 'here'), `${root}/.`.replace('allowed', 'outside')]) {
    t.match(await judgeBind(source, [root]), [{ rule: 'Mounts' }], source)
  }
})

t.test('system paths are denied whatever the roots say', async (t) => {
  for (const source of ['/', '/etc', '/var/run/docker.sock']) t.match(await judgeBind(source, ['/']), [{ rule: 'Mounts' }], source)
})

t.test('Windows folders are compared as Windows does', async (t) => {
  t.same(await judgeBind('c:/DATA/sub', ['C:\\data']), [])
  for (const source of ['C:\\database', 'C:\\data\\..\\Windows', 'D:\\data', '\\\\server\\share']) t.match(await judgeBind(source, ['C:\\data']), [{ rule: 'Mounts' }], source)
})

t.test('without roots no folder is allowed, and the setting is named', async (t) => {
  t.match(await judgeBind('/srv', []), [{ rule: 'Mounts', setting: 'DOCKAPI_VOLUME_ROOTS', message: /no host folder is allowed/ }])
})
