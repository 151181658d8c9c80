import t from 'tap'
import { redactJson } from '../../../src/filter/redact.ts'

const seen = (document: unknown) => JSON.parse(redactJson(JSON.stringify(document))) as unknown

t.test('values of an environment are left out, names are kept', async (t) => {
  t.same(seen({ Config: { Env: ['PATH=/bin', 'EMPTY=', 'BARE', 'URL=a=b'] } }), { Config: { Env: ['PATH=[redacted]', 'EMPTY=[redacted]', 'BARE', 'URL=[redacted]'] } })
  t.same(seen({ Config: { Env: null } }), { Config: { Env: null } })
})

t.test('what gateways read of it is shown', async (t) => {
  const Env = ['VIRTUAL_HOST=a.example', 'VIRTUAL_PORT=80', 'VIRTUAL_PATH=/x', 'VIRTUAL_HOSTS_SECRET=x']
  t.same(seen({ Env }), { Env: [...Env.slice(0, 3), 'VIRTUAL_HOSTS_SECRET=[redacted]'] })
})

t.test('environments are found wherever they stand: services, their earlier form, tasks', async (t) => {
  const spec = (value: string) => ({ TaskTemplate: { ContainerSpec: { Image: 'x', Env: [`A=${value}`] }, LogDriver: { Name: 'splunk', Options: { 'splunk-token': value } } } })
  t.same(seen([{ Spec: spec('secret'), PreviousSpec: spec('older') }]), [{ Spec: spec('[redacted]'), PreviousSpec: spec('[redacted]') }].map((service) => JSON.parse(JSON.stringify(service)) as unknown))
})

t.test('options of volumes and log drivers are left out; those of networks and labels are shown', async (t) => {
  t.same(seen({ HostConfig: { LogConfig: { Type: 'gelf', Config: { token: 'x' } }, Mounts: [{ VolumeOptions: { Labels: { a: 'b' }, DriverConfig: { Name: 'local', Options: { o: 'password=x' } } } }] } }),
    { HostConfig: { LogConfig: { Type: 'gelf', Config: { token: '[redacted]' } }, Mounts: [{ VolumeOptions: { Labels: { a: 'b' }, DriverConfig: { Name: 'local', Options: { o: '[redacted]' } } } }] } })
  t.same(seen({ Volumes: [{ Name: 'v', Mountpoint: '/x', Options: { o: 'password=x' } }, { Name: 'w', Mountpoint: '/y', Options: null }] }), { Volumes: [{ Name: 'v', Mountpoint: '/x', Options: { o: '[redacted]' } }, { Name: 'w', Mountpoint: '/y', Options: null }] })
  const network = { Name: 'bridge', Options: { 'com.docker.network.bridge.name': 'docker0' }, Labels: { Env: 'A=b', Options: 'c' } }
  t.same(seen(network), network)
})

t.test('every number and every name is as it was', async (t) => {
  const text = '{"Env":["A=b"],"big":18446744073709551615,"price":1.50,"exponent":1E+2,"list":[9007199254740993],"__proto__":{"Env":["C=d"]},"text":"\\u003c\\ud83d\\ude00"}'
  t.equal(redactJson(text), '{"Env":["A=[redacted]"],"big":18446744073709551615,"price":1.50,"exponent":1E+2,"list":[9007199254740993],"__proto__":{"Env":["C=[redacted]"]},"text":"<😀"}')
})

t.test('a document without any of it is not even read', async (t) => {
  for (const text of ['[{"Id" : 1}]\n', 'no JSON']) t.equal(redactJson(text), text)
  t.throws(() => redactJson('{"Env": ['), SyntaxError)
})
