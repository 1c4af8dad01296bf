import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../electron/sqlite/database.ts'
import { dbPath, Vault } from '../../electron/vault/vault.ts'
import { makePractice, type Practice } from '../vault/practice.ts'

/** Fault 4: second instance [refused]. */

const key = new Uint8Array(32).fill(3)
const MODULE = new URL('../../electron/sqlite/database.ts', import.meta.url).href
const children: ChildProcess[] = []
let base: string
let practice: Practice

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'keyrite-second-'))
  practice = await makePractice()
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})
afterAll(() => {
  practice.remove()
  rmSync(base, { recursive: true, force: true })
})

/** Another process that opens the file and holds it; gives its first line: "open" or the code of the refusal. */
async function elsewhere(path: string): Promise<{ child: ChildProcess; said: string }> {
  const code = `
    import { openDatabase } from ${JSON.stringify(MODULE)}
    try {
      const db = openDatabase({ path: ${JSON.stringify(path)}, key: new Uint8Array(32).fill(3), profile: 'vault', what: 'vault' })
      console.log('open')
      setInterval(() => db.name, 1000)
    } catch (error) { console.log(error.code); process.exit(1) }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [line] = await once(child.stdout, 'data')
  return { child, said: String(line).trim() }
}

function newFile(name: string): string {
  const path = join(base, name)
  const db = openDatabase({ path, key, profile: 'vault', what: 'vault', create: true })
  db.exec('CREATE TABLE t (a INTEGER)')
  db.close()
  return path
}

describe('while one instance has a vault open', () => {
  it('a second one in the same process is refused: vault-in-use; the first goes on', async () => {
    const folder = practice.copy()
    const first = await Vault.openFor(folder, practice.present)
    const before = readFileSync(dbPath(folder))
    const second = Vault.openFor(folder, practice.only('emmy'))
    await expect(second).rejects.toMatchObject({
      code: 'vault-in-use',
      message: expect.stringContaining('another program'),
    })
    expect(readFileSync(dbPath(folder)).equals(before)).toBe(true)
    first.commit([{ type: 'share-proved', person: 'ada', epoch: 1 }], first.state.lastAt, 'ada')
    first.close()
    const third = await Vault.openFor(folder, practice.only('emmy'))
    expect(third.state.seq).toBe(10)
    third.close()
  })

  it('another process is refused at once: vault-in-use', async () => {
    const path = newFile('held-here.db')
    const db = openDatabase({ path, key, profile: 'vault', what: 'vault' })
    const { said } = await elsewhere(path)
    expect(said).toBe('vault-in-use')
    db.exec('INSERT INTO t VALUES (1)')
    db.close()
  })

  it('this process is refused while another holds it, and opens it once the other is killed', async () => {
    const path = newFile('held-there.db')
    const { child, said } = await elsewhere(path)
    expect(said).toBe('open')
    expect(() => openDatabase({ path, key, profile: 'vault', what: 'vault' })).toThrow(
      expect.objectContaining({ code: 'vault-in-use' }),
    )
    child.kill('SIGKILL')
    await once(child, 'exit')
    const db = openDatabase({ path, key, profile: 'vault', what: 'vault' })
    expect(db.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 0 })
    db.close()
  })

  it('a mere look holds the vault too: a file that is only open, without a transaction, is not shared', async () => {
    const path = newFile('look.db')
    const db = openDatabase({ path, key, profile: 'vault', what: 'vault' })
    expect(db.inTransaction).toBe(false)
    expect((await elsewhere(path)).said).toBe('vault-in-use')
    db.close()
  })
})
