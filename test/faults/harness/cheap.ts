import { existsSync, statfsSync } from 'node:fs'
import Database from 'better-sqlite3'

/**
 * Thousands of ceremonies are run here, and thousands of vaults opened. The file key is 32 random bytes, yet the cipher
 * stretches it at every opening; once instead of 64,007 times changes no operation on any medium.
 */

const { key } = Database.prototype
if (key.name !== 'cheapKey')
  Database.prototype.key = function cheapKey(this: Database.Database, bytes) {
    this.pragma('kdf_iter = 1')
    return key.call(this, bytes)
  }

/** A folder in memory takes the same operations, and waits for no disk. */
const MEMORY = '/dev/shm'
const free = (path: string): number => {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}
if (existsSync(MEMORY) && free(MEMORY) > 1024 ** 3) process.env['TMPDIR'] = MEMORY
