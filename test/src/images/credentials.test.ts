import t from 'tap'
import type { Machine } from '../../../src/engine/machine.ts'
import { findCredentials, readCredentials, registryOf } from '../../../src/images/credentials.ts'

function machineWith (text: string | undefined): Machine {
  return { platform: 'linux', home: '/home/me', uid: 1000, access: () => 'missing', readText: (path) => path === '/home/me/.docker/config.json' ? text : undefined }
}

t.test('S29: what docker login left is found by the registry of the name', async (t) => {
  const auths = {
    'https://index.docker.io/v1/': { auth: Buffer.from('hub:s:ecret').toString('base64') },
    'r.test:5000': { auth: Buffer.from('user:secret').toString('base64') },
    'https://token.test/v2/': { auth: Buffer.from('00000000-0000-0000-0000-000000000000:').toString('base64'), identitytoken: 'tok' },
    'helper.test': {},
    'null.test': null
  }
  const credentials = readCredentials({}, machineWith(JSON.stringify({ auths, credsStore: 'desktop' })))
  t.match(findCredentials(credentials, 'nginx:latest'), { username: 'hub', password: 's:ecret' })
  t.match(findCredentials(credentials, 'docker.io/team/app:1'), { username: 'hub' })
  t.match(findCredentials(credentials, 'r.test:5000/team/app:1'), { username: 'user', password: 'secret', serveraddress: 'r.test:5000' })
  t.match(findCredentials(credentials, 'token.test/a'), { identitytoken: 'tok' })
  for (const name of ['helper.test/a', 'null.test/a', 'other.test/a', '__proto__/a']) t.not(findCredentials(credentials, name)?.serveraddress, name.split('/')[0])
})

t.test('DOCKER_CONFIG names another folder; no file and a broken file hold nothing', async (t) => {
  t.same(readCredentials({ DOCKER_CONFIG: '/elsewhere' }, machineWith('{"auths":{"a.test":{"username":"u","password":"p"}}}')), {})
  for (const text of [undefined, '', 'null', '{', '{"auths":[]}', '{"auths":{"a.test":{"auth":"!"}}}']) t.same(readCredentials({}, machineWith(text)), {}, String(text))
})

t.test('the registry of a name', async (t) => {
  t.equal(registryOf('localhost/a'), 'localhost')
  t.equal(registryOf('127.0.0.1:5000/a'), '127.0.0.1:5000')
  for (const name of ['nginx', 'nginx:1', 'team/app', 'docker.io/nginx']) t.equal(registryOf(name), 'index.docker.io', name)
})
