import { Type } from '@sinclair/typebox'
import { model, nullable } from './model.ts'

export const LaunchRequestSchema = model('LaunchRequest', {
  image: Type.String({ minLength: 1, maxLength: 1024, description: 'Image reference.' }),
  tag: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$', description: 'Its tag; `latest` when neither this nor `image` names one.' }))
}, { description: 'The image to launch.', examples: [{ image: 'api' }, { image: 'team/api', tag: '1.2' }] })

export const LaunchResultSchema = model('LaunchResult', {
  status: Type.Literal('success'),
  container: Type.String({ description: '`/<name>.<domain>`.' }),
  id: Type.String({ description: 'Full id.' }),
  name: Type.String({ description: 'The name that the engine chose.' }),
  url: nullable(Type.String({ description: 'The application at a host name of its own; null while no gateway routes to it.' })),
  host: nullable(Type.String({ description: 'The host name of `url`.' }))
}, {
  description: 'The container runs.',
  examples: [{
    status: 'success',
    container: '/epic_hofstadter.localhost',
    id: '4f0c1ee7a9b5c6d2e3f40112233445566778899aabbccddeeff0011223344556',
    name: 'epic_hofstadter',
    url: 'http://epic-hofstadter.localhost:8080/',
    host: 'epic-hofstadter.localhost'
  }]
})
