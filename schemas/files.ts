import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model, nullable, oneOf, ref } from './model.ts'

const Path = Type.String({ minLength: 1, maxLength: 4096, description: 'Whole path in the container, beginning with `/`.', examples: ['/etc/hosts'] })

export const FileQuerySchema = Type.Object({ path: Path }, { additionalProperties: false })
export const WriteQuerySchema = Type.Object({
  path: Path,
  mode: Type.Optional(Type.String({ pattern: '^0?[0-7]{3}$', default: '0644', description: 'Permissions of the file, as `chmod` writes them; a tar brings its own.', examples: ['0644'] }))
}, { additionalProperties: false })

const fileEntry = {
  name: Type.String(),
  type: oneOf(['file', 'directory', 'symlink', 'fifo', 'socket', 'character_device', 'block_device']),
  size: Type.Integer({ description: 'Bytes; 0 for what is no file.' }),
  mode: Type.String({ description: 'Permissions, as `chmod` writes them.' }),
  mtime: Type.String({ format: 'date-time' }),
  link_target: nullable(Type.String({ description: 'Where a symbolic link leads.' }))
}

export const FileEntrySchema = model('FileEntry', fileEntry, {
  description: 'A file, a folder, or something of the kind.',
  examples: [{ name: 'nginx.conf', type: 'file', size: 648, mode: '0644', mtime: '2026-01-05T10:00:00.000Z', link_target: null }]
})
export type FileEntry = Static<typeof FileEntrySchema>

export const FileListingSchema = model('FileListing', {
  path: Type.String({ description: 'Where it is, links followed.' }),
  ...fileEntry,
  entries: Type.Array(ref(FileEntrySchema), { description: 'What is directly in the folder, by name; empty for what is no folder.' }),
  truncated: Type.Boolean({ description: 'Whether there is more than could be listed.' })
}, {
  description: 'What is at a path.',
  examples: [{ path: '/etc/nginx', name: 'nginx', type: 'directory', size: 0, mode: '0755', mtime: '2026-01-05T10:00:00.000Z', link_target: null, entries: FileEntrySchema.examples as FileEntry[], truncated: false }]
})
export type FileListing = Static<typeof FileListingSchema>

export const WrittenFilesSchema = model('WrittenFiles', {
  path: Type.String(),
  entries: Type.Integer({ description: 'Files, folders and links that were written.' }),
  bytes: Type.Integer({ description: 'Bytes of the files.' })
}, { description: 'What was written.', examples: [{ path: '/etc/nginx/nginx.conf', entries: 1, bytes: 648 }] })
export type WrittenFiles = Static<typeof WrittenFilesSchema>
