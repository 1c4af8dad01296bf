import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { KeyriteError, must } from '../../shared/errors.ts'
import { fromUtf8 } from '../../shared/formats/bytes.ts'
import { fileName } from '../../shared/formats/file-name.ts'
import { fingerprintSchema } from '../../shared/formats/plan.ts'
import { parseStatementFile, statementFile } from '../../shared/formats/statement-file.ts'
import { openSuccession, parseSuccessionFile, SUCCESSION_FILE_MAX } from '../../shared/formats/succession.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { readFileGuarded } from '../files/read.ts'
import { replaceFile, writeNewFile } from '../files/write.ts'
import { CONFIG_FILE, encodeConfig, readConfigFile } from './config.ts'
import type { Context } from './context.ts'

/** Another root for this runtime: by the word of the pinned one, or by a fingerprint that people compared. */

export type Repinned = { from: string; root: string; changed: boolean }

/** True for a file with a succession, by its form alone. Codes of reading. */
export function isSuccession(path: string): boolean {
  try {
    parseSuccessionFile(readFileGuarded(path, SUCCESSION_FILE_MAX))
    return true
  } catch (error) {
    if (error instanceof KeyriteError && ['format-invalid', 'file-too-large'].includes(error.code)) return false
    throw error
  }
}

/**
 * Follows a succession that the pinned root and its successor signed. Codes of `openSuccession`; `comparison-failed`
 * where the old root is suspected: then its word is worth nothing, and people compare the new one.
 */
export async function takeSuccession(context: Context, path: string): Promise<Repinned> {
  const file = parseSuccessionFile(readFileGuarded(path, SUCCESSION_FILE_MAX))
  const pinned = context.anchor
  if (file.anchor === pinned.jws) return { from: pinned.key.kid, root: pinned.key.kid, changed: false }
  const { anchor, claims } = await openSuccession(file, pinned)
  must(
    !claims.compromised,
    'comparison-failed',
    'The old root is suspected to be compromised, so its word is not enough for a new one.',
    {
      hint: 'Have the fingerprint of the new root read aloud from the head card, then run "issuer repin FILE --fingerprint WHAT-WAS-READ".',
    },
  )
  return pin(context, anchor)
}

/**
 * Pins the root whose fingerprint was compared by voice, from a trust anchor or a succession. Codes `usage-invalid` for
 * no fingerprint, `comparison-failed` for another one, `vault-mismatch`, `practice-refused`.
 */
export async function repin(context: Context, path: string, typed: string): Promise<Repinned> {
  const fingerprint = fingerprintSchema.safeParse(typed)
  must(fingerprint.success, 'usage-invalid', 'A fingerprint is 64 hex digits, as on the head card.')
  const anchor = await anchorIn(path)
  const { vaultId, practice } = context.config
  must(anchor.vaultId === vaultId, 'vault-mismatch', 'This trust anchor is of another vault.')
  must(anchor.practice === practice, 'practice-refused', 'The runtime and the vault are not both for practice.')
  must(
    anchor.key.kid === fingerprint.data,
    'comparison-failed',
    'The fingerprint that was read aloud is not the one of this file. The pinned root stays.',
  )
  return pin(context, anchor)
}

async function anchorIn(path: string): Promise<Anchor> {
  const bytes = readFileGuarded(path, SUCCESSION_FILE_MAX)
  const succession = fromUtf8(bytes).split('\n').length > 2
  return openTrustAnchor(succession ? parseSuccessionFile(bytes).anchor : parseStatementFile(bytes))
}

/** The new anchor's file first, then the configuration that names it, in one step. */
async function pin(context: Context, anchor: Anchor): Promise<Repinned> {
  const { dir, store, config } = context
  const from = context.anchor.key.kid
  const root = anchor.key.kid
  if (from === root) return { from, root, changed: false }
  const unlock = await store.lock('import')
  try {
    const trustAnchor = fileName('trust-anchor', anchor.jws, anchor.iat)
    const path = join(dir, trustAnchor)
    if (!existsSync(path)) writeNewFile(path, statementFile(anchor.jws))
    const next = { rootKid: root, trustAnchor }
    replaceFile(join(dir, CONFIG_FILE), encodeConfig({ ...readConfigFile(dir), ...next }))
    Object.assign(config, next)
    context.anchor = anchor
    return { from, root, changed: true }
  } finally {
    await unlock()
  }
}
