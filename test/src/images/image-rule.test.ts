import t from 'tap'
import { createImageBan, createImageRule, registryOfImage } from '../../../src/images/image-rule.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`

t.test('patterns fit what they name, however it is spelled, and nothing else', async (t) => {
  for (const [pattern, fits, others] of [
    ['nginx', ['nginx', 'nginx:1.27', 'docker.io/library/nginx:1', 'index.docker.io/library/nginx', 'library/nginx'],
      ['evil.io/nginx', 'nginx.evil.io/x', 'localhost:5000/nginx', `library/nginx@${DIGEST}`, `nginx:1@${DIGEST}`, 'NGINX', 'nginx:latest\n', 'nginx2', 'my/nginx', 'docker.io/my/nginx', DIGEST, 'a'.repeat(64)]],
    ['nginx:1.*', ['nginx:1.27', 'nginx:1.'], ['nginx', 'nginx:2', 'nginx:11', 'nginx:1x27']],
    ['nginx:latest', ['nginx', 'nginx:latest'], ['nginx:1']],
    ['nginx@*', [`nginx@${DIGEST}`, `nginx:1@${DIGEST}`], ['nginx', 'nginx:1']],
    [`nginx@${DIGEST}`, [`nginx@${DIGEST}`], [`nginx@sha256:${'b'.repeat(64)}`, 'nginx']],
    ['team/*', ['team/app', 'docker.io/team/app:2'], ['team/app/part', 'other/app', 'ghcr.io/team/app']],
    ['ghcr.io/team/*', ['ghcr.io/team/app:1'], ['team/app', 'ghcr.io/team/a/b', 'ghcr.io.evil/team/app', 'ghcrXio/team/app']],
    ['ghcr.io/team/**', ['ghcr.io/team/app', 'ghcr.io/team/a/b:3'], ['ghcr.io/teams/app', `ghcr.io/team/a@${DIGEST}`]],
    ['localhost:5000/**', ['localhost:5000/a/b', 'localhost:5000/a:1'], ['localhost:5001/a', 'localhost/a']],
    ['ghcr.io/x', ['GHCR.io/x'], ['GHCR/x']],
    ['*', ['nginx', 'nginx:1'], ['team/app', 'ghcr.io/x']],
    ['**', ['nginx', 'team/app:2', 'ghcr.io/a/b', 'localhost:5000/x:1'], [`nginx@${DIGEST}`, DIGEST]]
  ] as Array<[string, string[], string[]]>) {
    const isAllowed = createImageRule([pattern])
    for (const reference of fits) t.equal(isAllowed(reference), true, `${pattern} fits ${reference}`)
    for (const reference of others) t.equal(isAllowed(reference), false, `${pattern} does not fit ${JSON.stringify(reference)}`)
  }
})

t.test('no patterns narrow nothing; signs of regular expressions mean themselves', async (t) => {
  t.equal(createImageRule(undefined)(DIGEST), true)
  t.equal(createImageRule([])('nginx'), false)
  t.equal(createImageRule(['ngin.'])('nginx'), false)
  t.equal(createImageRule(['(nginx|redis)'])('nginx'), false)
  t.equal(createImageRule(['[a-z]+'])('nginx'), false)
})

t.test('a ban holds for every spelling, tag and digest, and for ids', async (t) => {
  for (const [patterns, banned, others] of [
    [['nginx'], ['nginx', 'library/nginx:1', 'docker.io/library/nginx', 'DOCKER.io/library/nginx', `nginx@${DIGEST}`, `nginx:1@${DIGEST}`, DIGEST, 'a'.repeat(64)], ['redis', 'evil.io/nginx', 'my/nginx']],
    [['nginx:1.2'], ['nginx:1.2', `nginx@${DIGEST}`, `nginx:1.3@${DIGEST}`], ['nginx:1.3', 'nginx']],
    [['evil.io/**'], ['evil.io/a/b:1', 'EVIL.IO/a', `evil.io/a@${DIGEST}`], ['evil.io:5000/a', 'nginx']],
    [[], [], ['nginx', DIGEST]]
  ] as Array<[string[], string[], string[]]>) {
    const isBanned = createImageBan(patterns)
    for (const reference of banned) t.equal(isBanned(reference), true, `${patterns} bans ${reference}`)
    for (const reference of others) t.equal(isBanned(reference), false, `${patterns} does not ban ${reference}`)
  }
})

t.test('the registry of an image', async (t) => {
  for (const [reference, registry] of [
    ['nginx', 'docker.io'], ['team/app:1', 'docker.io'], ['index.docker.io/library/nginx', 'docker.io'], ['ghcr.io/a/b', 'ghcr.io'], ['GHCR.io/a', 'ghcr.io'], ['localhost/a', 'localhost'], ['localhost:5000/a', 'localhost:5000'],
    ['169.254.169.254/x', '169.254.169.254'], [DIGEST, undefined], ['NGINX', undefined]
  ] as const) t.equal(registryOfImage(reference), registry, reference)
})
