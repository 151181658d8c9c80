import { Type } from '@sinclair/typebox'
import { model, nullable } from './model.ts'

export const ProxyInfoSchema = model('ProxyInfo', {
  container_id: Type.String({ description: 'Full id.' }),
  upstream: Type.String({ description: 'The address that the proxy dials.' }),
  reason: Type.String({ description: 'Why this address and port.' }),
  urls: Type.Object({
    path: nullable(Type.String()),
    host: nullable(Type.String()),
    direct: nullable(Type.String())
  }, { additionalProperties: false })
}, {
  description: 'Where requests below this path go.',
  examples: [{
    container_id: '4f0c1ee7a9b5c6d2e3f40112233445566778899aabbccddeeff0011223344556',
    upstream: 'http://127.0.0.1:52347',
    reason: 'port 80 is published at 127.0.0.1:52347',
    urls: { path: 'http://127.0.0.1:8000/proxy/my-nginx/', host: 'http://my-nginx.localhost:8080/', direct: 'http://127.0.0.1:52347/' }
  }]
})
