import { isMainThread, parentPort } from 'node:worker_threads'
import bcrypt from 'bcryptjs'
import { apr1 } from './apr1.ts'
import { isSame } from './password-hash.ts'

export type PasswordQuestion = { id: number, password: string, hash: string }
export type PasswordAnswer = { id: number, isRight: boolean }

/** A thread of its own: hashes are made to be slow, and nobody else waits for them. */
if (!isMainThread) {
  parentPort!.on('message', ({ id, password, hash }: PasswordQuestion) => {
    parentPort!.postMessage({ id, isRight: check(password, hash) } satisfies PasswordAnswer)
  })
}

function check (password: string, hash: string): boolean {
  if (!hash.startsWith('$apr1$')) return bcrypt.compareSync(password, hash)
  return isSame(apr1(password, hash.split('$')[2]!), hash)
}
