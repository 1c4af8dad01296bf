import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { manifestSchema } from '../../shared/formats/bundle.ts'
import { BUNDLE_CAPS } from '../../shared/formats/bundle-file.ts'
import { fromUtf8 } from '../../shared/formats/bytes.ts'
import { envelopeSchema } from '../../shared/formats/envelope.ts'
import { peekStatement } from '../../shared/formats/jws.ts'
import { materialManifestSchema } from '../../shared/formats/material.ts'
import { revocationSchema } from '../../shared/formats/revocation.ts'
import { readLinesGuarded } from '../files/read.ts'
import { removeFile } from '../files/write.ts'

const NAME = /^(bundle|envelope|material|revocation)-[0-9a-f]{8}-\d{8}T\d{6}Z\.keyrite$/

/** What was begun and never recorded: a handoff's bundle and material, an envelope, or a revocation. They count apart. */
export type Interrupted = {
  what: 'handoff' | 'envelope' | 'revocation'
  vaultId: string
  runtimeId: string
  number: number
}

const SCHEMAS = {
  bundle: manifestSchema,
  material: materialManifestSchema,
  envelope: envelopeSchema,
  revocation: revocationSchema,
}

/**
 * Removes files on a medium that claim to be this handoff, envelope or revocation. Called before it is made again: two bundles with
 * one number must never both reach a runtime, and no envelope may lie in a safe that no record names. Files that cannot
 * be read are left alone. Gives the names.
 */
export function removeLeftovers(folder: string, of: Interrupted): string[] {
  if (!existsSync(folder)) return []
  const leftovers = readdirSync(folder).filter((name) => claims(join(folder, name), of))
  for (const name of leftovers) removeFile(join(folder, name))
  return leftovers
}

function claims(path: string, { what, vaultId, runtimeId, number }: Interrupted): boolean {
  const kind = NAME.exec(basename(path))?.[1] as keyof typeof SCHEMAS | undefined
  if (!kind || (kind === 'bundle' || kind === 'material' ? 'handoff' : kind) !== what) return false
  try {
    for (const line of readLinesGuarded(path, BUNDLE_CAPS)) {
      const said = peekStatement(fromUtf8(line), SCHEMAS[kind], 'manifest')
      const counted = 'order' in said ? said.order : said.number
      return said.vaultId === vaultId && said.runtimeId === runtimeId && counted === number
    }
  } catch {
    // Not a file of ours, or torn: a runtime refuses it.
  }
  return false
}
