import { Type } from '@sinclair/typebox'
import { model, ref } from './model.ts'

export const DenialSchema = model('Denial', {
  rule: Type.String({ description: 'The member of the engine\'s object that is denied, nested ones with dots; `Containers` when there are too many, `Token` for what the token may not.' }),
  message: Type.String(),
  setting: Type.Optional(Type.String({ description: 'The setting of the server that would allow it. Without one nothing does.' }))
}, { description: 'One reason why a container may not be made.', examples: [{ rule: 'Mounts', message: 'the host folder "/srv" cannot be mounted: no host folder is allowed', setting: 'DOCKAPI_VOLUME_ROOTS' }] })

export const VerdictSchema = model('Verdict', {
  allowed: Type.Boolean(),
  denials: Type.Array(ref(DenialSchema)),
  payload: Type.Object({}, { additionalProperties: true, description: 'What the engine would be sent (`POST /containers/create` of the Docker API), environment included.' }),
  command: Type.String({ description: 'The `docker run` that makes the same container, quoted for a POSIX shell. A health command goes through a shell there.' }),
  warnings: Type.Array(Type.String())
}, {
  description: 'Whether a run is allowed, and what it would ask of the engine.',
  examples: [{
    allowed: true,
    denials: [],
    payload: {
      Image: 'nginx:latest',
      Env: [],
      Labels: { 'dockapi.managed': 'true', 'dockapi.container_port': '80' },
      ExposedPorts: { '80/tcp': {} },
      HostConfig: {
        PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
        Mounts: [],
        Tmpfs: {},
        Memory: 1073741824,
        MemorySwap: 1073741824,
        NanoCpus: 1000000000,
        PidsLimit: 512,
        AutoRemove: false,
        RestartPolicy: { Name: 'no' },
        SecurityOpt: ['no-new-privileges'],
        CapDrop: ['AUDIT_WRITE', 'MKNOD', 'NET_RAW']
      }
    },
    command: 'docker run -d --label dockapi.managed=true --label dockapi.container_port=80 --publish 127.0.0.1::80/tcp --memory 1073741824 --memory-swap 1073741824 --cpus 1 --pids-limit 512 --security-opt no-new-privileges --cap-drop AUDIT_WRITE --cap-drop MKNOD --cap-drop NET_RAW nginx:latest',
    warnings: []
  }]
})
