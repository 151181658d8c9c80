import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import type { Test } from 'tap'
import { defaultDataDir } from '../../../src/config/data-dir.ts'
import { MIGRATIONS } from '../../../src/store/migrations.ts'
import { openStore, StoreError } from '../../../src/store/store.ts'

async function folder (t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'dockapi-store-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

t.test('the folder is made for this user only, and what is kept outlives the process', async (t) => {
  const dataDir = join(await folder(t), 'deep', 'state')
  const first = openStore(dataDir)
  first.database.exec('CREATE TABLE things (name TEXT)')
  first.database.prepare('INSERT INTO things VALUES (?)').run('kept')
  first.close()
  first.close()
  t.equal((await stat(dataDir)).mode & 0o777, 0o700)
  const second = openStore(dataDir)
  t.equal(second.database.prepare('SELECT name FROM things').get()?.name, 'kept')
  second.close()
})

t.test('a transaction that throws leaves nothing', async (t) => {
  const store = openStore('memory')
  t.after(() => store.close())
  store.database.exec('CREATE TABLE things (name TEXT)')
  t.throws(() => store.transaction(() => {
    store.database.exec("INSERT INTO things VALUES ('half')")
    throw new Error('no')
  }), { message: 'no' })
  t.equal(store.transaction(() => store.database.prepare('SELECT count(*) AS count FROM things').get()?.count), 0)
})

t.test('a file of a newer version, and a folder that cannot be written, stop the start with a way out', async (t) => {
  const dataDir = await folder(t)
  openStore(dataDir).close()
  const database = new DatabaseSync(join(dataDir, 'dockapi.sqlite'))
  database.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`)
  database.close()
  t.throws(() => openStore(dataDir), StoreError)
  t.throws(() => openStore(dataDir), /newer dockAPI.*DOCKAPI_DATA_DIR/s)
  t.throws(() => openStore('/dev/null/x'), /DOCKAPI_DATA_DIR/)
})

t.test('the default folder is the platform\'s', async (t) => {
  t.equal(defaultDataDir({ XDG_STATE_HOME: '/s' }, 'linux'), '/s/dockapi')
  t.match(defaultDataDir({}, 'linux'), /\.local\/state\/dockapi$/)
  t.match(defaultDataDir({}, 'darwin'), /Library\/Application Support\/dockapi$/)
  t.match(defaultDataDir({ LOCALAPPDATA: '/l' }, 'win32'), /l.dockapi$/)
})
