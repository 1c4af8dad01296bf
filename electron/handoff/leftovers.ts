import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { manifestSchema } from '../../shared/formats/bundle.ts'
import { BUNDLE_CAPS } from '../../shared/formats/bundle-file.ts'
import { fromUtf8 } from '../../shared/formats/bytes.ts'
import { peekStatement } from '../../shared/formats/jws.ts'
import { materialManifestSchema } from '../../shared/formats/material.ts'
import { readLinesGuarded } from '../files/read.ts'
import { removeFile } from '../files/write.ts'

const NAME = /^(?:bundle|material)-[0-9a-f]{8}-\d{8}T\d{6}Z\.keyrite$/

/**
 * Removes bundles and material on a medium that claim to be this handoff. Called before a handoff is exported again: two
 * bundles with one number must never both reach a runtime. Files that cannot be read are left alone. Gives the names.
 */
export function removeLeftovers(folder: string, of: { vaultId: string; runtimeId: string; number: number }): string[] {
  if (!existsSync(folder)) return []
  const leftovers = readdirSync(folder).filter((name) => NAME.test(name) && claims(join(folder, name), of))
  for (const name of leftovers) removeFile(join(folder, name))
  return leftovers
}

function claims(
  path: string,
  { vaultId, runtimeId, number }: { vaultId: string; runtimeId: string; number: number },
): boolean {
  try {
    for (const line of readLinesGuarded(path, BUNDLE_CAPS)) {
      const schema = basename(path).startsWith('bundle-') ? manifestSchema : materialManifestSchema
      const manifest = peekStatement(fromUtf8(line), schema, 'manifest')
      return manifest.vaultId === vaultId && manifest.runtimeId === runtimeId && manifest.number === number
    }
  } catch {
    // Not a file of ours, or torn: a runtime refuses it.
  }
  return false
}
