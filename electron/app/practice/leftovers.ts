import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { tryRemove } from '../../files/write.ts'

/** Practice worlds of programs that were killed lie about in the temporary folder. */

/** How the name of a world's folder begins; the number of its process follows. */
export const WORLD = 'keyrite-practice-'

const OLD_MS = 86_400_000

/**
 * Removes the practice worlds in a folder that are older than a day, belong to this user, and whose program does not run
 * any more. Links and whatever cannot be removed stay; it never fails.
 */
export function removeLeftWorlds(folder: string, now = Date.now()): void {
  for (const name of worldsIn(folder)) if (isLeft(join(folder, name), name, now)) tryRemove(join(folder, name))
}

function worldsIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.startsWith(WORLD))
  } catch {
    return []
  }
}

function isLeft(path: string, name: string, now: number): boolean {
  try {
    const stats = lstatSync(path)
    const own = process.getuid === undefined || stats.uid === process.getuid()
    return stats.isDirectory() && own && now - stats.mtimeMs > OLD_MS && !runs(name)
  } catch {
    return false
  }
}

/** A window may be open for days. */
function runs(name: string): boolean {
  const [, pid] = /^(\d+)-/.exec(name.slice(WORLD.length)) ?? []
  if (pid === undefined) return false
  try {
    // Asks whether the process is there; sends it nothing.
    return process.kill(Number(pid), 0)
  } catch {
    return false
  }
}
