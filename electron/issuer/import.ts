import { randomInt } from 'node:crypto'
import { basename } from 'node:path'
import { spellDuration } from '../../shared/domain/policy.ts'
import { utcTime } from '../../shared/domain/utc.ts'
import { asKeyriteError, type Code, isKeyriteError, must } from '../../shared/errors.ts'
import { BUNDLE_CAPS, type OpenBundle, openBundle } from '../../shared/formats/bundle-file.ts'
import { openCheckpoint } from '../../shared/formats/checkpoint.ts'
import { handoffFileType, MATERIAL_CAPS, type OpenMaterial, openMaterial } from '../../shared/formats/material-file.ts'
import { readLinesGuarded } from '../files/read.ts'
import { type Context, markHighwater } from './context.ts'
import { checkBinding, checkReceiptsSeen, checkSequence } from './import-checks.ts'
import { commitImport, type ImportResult } from './import-commit.ts'
import { settle } from './lifecycle.ts'
import { checkMaterialNames, clearStaging, stageBundle, stageMaterial } from './staging.ts'
import type { Store } from './store/store.ts'
import { openTransportKey } from './transport.ts'

/**
 * Import (handoff.md, "Binding"): everything is checked before anything is decrypted, and staged before it counts; then
 * one short transaction makes it current. A refusal leaves the store as it was.
 */

export type ImportProgress = (stage: 'bundle' | 'material', done: number, total: number) => void

/** Authentic files that break a rule: the vault must hear of them. */
const ALARMS: readonly Code[] = ['bundle-forked', 'revocation-forked', 'tombstone-hit', 'bundle-refused', 'key-refused']

type Files = { bundle: string | null; material: string | null }

/**
 * Imports a bundle, its material, or both, in any order of `paths`. Codes: `usage-invalid` for other files, those of
 * reading and verifying, `clock-refused`, of `checkBinding` and `checkSequence`, what `stageBundle` and `stageMaterial` refuse, and
 * `store-busy` while another import runs.
 */
export async function importFiles(
  context: Context,
  paths: readonly string[],
  progress: ImportProgress = () => {},
): Promise<ImportResult> {
  mustTrustClock(context)
  const files = sortFiles(paths)
  return importing(context, (authentic) => run(context, files, authentic, progress))
}

/**
 * One import at a time, of all processes and replicas: what fails leaves nothing staged, and what was refused although
 * `work` found it authentic (the paths it adds) is told to the vault. Code `store-busy`.
 */
export async function importing<T>(context: Context, work: (authentic: string[]) => Promise<T>): Promise<T> {
  const authentic: string[] = []
  const unlock = await context.store.lock('import')
  try {
    return await work(authentic)
  } catch (error) {
    await tidy(context.store)
    await alarm(context, error, authentic.at(-1))
    throw error
  } finally {
    await unlock()
  }
}

/** An import is judged by the time: one whose clock nobody can vouch for is refused before anything else. */
export function mustTrustClock({ clock }: Context): void {
  const { hold, wall } = clock
  must(
    !clock.unproved,
    'clock-refused',
    `The clock of this machine says ${utcTime(wall)}, ${spellDuration(wall - (hold?.from ?? wall))} after this runtime last served. Nothing was imported, and the time of the runtime stays.`,
    {
      hint: 'If the clock is wrong, set it. If nobody served for so long, compare the clock and run "issuer clock confirm", then import again.',
    },
  )
}

function sortFiles(paths: readonly string[]): Files {
  const files: Files = { bundle: null, material: null }
  for (const path of paths) {
    const lines = readLinesGuarded(path, BUNDLE_CAPS)
    const first = lines.next()
    lines.return(undefined)
    must(first.done !== true, 'format-invalid', `${path} is empty.`)
    const type = handoffFileType(first.value)
    must(files[type] === null, 'usage-invalid', `Import one ${type} at a time.`)
    files[type] = path
  }
  must(files.bundle ?? files.material, 'usage-invalid', 'Name a bundle, its material, or both.')
  return files
}

/** Leftovers of a refusal do no harm; the next import clears them where the medium is too full to do it now. */
async function tidy(store: Store): Promise<void> {
  try {
    await clearStaging(store)
  } catch {
    // The refusal itself is what the operator must see.
  }
}

const REFUSED = "INSERT INTO imports (id, at, number, manifest, outcome) VALUES (?, ?, 0, '', ?)"

/** Tells the vault of an authentic file that was refused for breaking a rule. */
async function alarm(context: Context, error: unknown, file: string | undefined): Promise<void> {
  const { store, receipts, clock } = context
  const { code } = asKeyriteError(error)
  if (file === undefined || !isKeyriteError(error) || !ALARMS.includes(code)) return
  const name = basename(file)
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 200)
  const now = clock.now()
  await store.change(async (tx) => {
    await tx.run(REFUSED, randomInt(1, 2 ** 47), now, code)
    await receipts.append(tx, now, { type: 'import-refused', code, file: name })
  })
  await markHighwater(context)
}

async function run(
  context: Context,
  files: Files,
  authentic: string[],
  progress: ImportProgress,
): Promise<ImportResult> {
  const { store, clock } = context
  const now = clock.now()
  const id = randomInt(1, 2 ** 47)
  await clearStaging(store)

  // 1. The bundle: who it is for and where it stands, then every tenant into staging.
  const bundle = files.bundle ? await takeBundle(context, files.bundle, id, now, authentic, progress) : null
  // 2. The material: that it belongs to this bundle, then for whom each key is; nothing is decrypted yet.
  const target = bundle?.fresh ? bundle.opened : null
  const material = files.material ? await checkMaterial(context, files.material, target, now, authentic) : null
  // 3. Decrypt, compare with the public halves, seal into staging.
  if (material && files.material) {
    const unseal = await openTransportKey(store, context.sealer, material.manifest.transportKey)
    const lines = readLinesGuarded(files.material, MATERIAL_CAPS)
    try {
      const opened = await openMaterial(lines, context.anchor)
      await stageMaterial(context, id, opened, unseal, (done, total) => progress('material', done, total))
    } finally {
      lines.return(undefined)
    }
  }
  // 4. Make it current.
  const result = await commitImport(context, { id, now, bundle: target, eventSeq: bundle?.eventSeq ?? 0, material })
  await clearStaging(store)
  await settle(context)
  await markHighwater(context)
  return result
}

type TakenBundle = { opened: OpenBundle; fresh: boolean; eventSeq: number }

async function takeBundle(
  context: Context,
  path: string,
  id: number,
  now: number,
  authentic: string[],
  progress: ImportProgress,
): Promise<TakenBundle> {
  const { store, anchor } = context
  const lines = readLinesGuarded(path, BUNDLE_CAPS)
  try {
    const opened = await openBundle(lines, anchor)
    const { manifest, manifestDigest } = opened
    checkBinding(context, manifest, now)
    authentic.push(path)
    await checkReceiptsSeen(context, manifest)
    const fresh = (await checkSequence(store, manifest, manifestDigest)) === 'next'
    const checkpoint = await openCheckpoint(manifest.checkpoint, anchor.key, anchor.practice)
    must(checkpoint.vaultId === anchor.vaultId, 'vault-mismatch', 'The checkpoint in this bundle is of another vault.')
    if (fresh) await stageBundle(context, id, opened, now, (done, total) => progress('bundle', done, total))
    return { opened, fresh, eventSeq: checkpoint.seq }
  } finally {
    lines.return(undefined)
  }
}

/** Gives null when exactly this material was imported before. */
async function checkMaterial(
  context: Context,
  path: string,
  target: OpenBundle | null,
  now: number,
  authentic: string[],
): Promise<OpenMaterial | null> {
  const { store, anchor } = context
  const lines = readLinesGuarded(path, MATERIAL_CAPS)
  try {
    const opened = await openMaterial(lines, anchor)
    const { manifest, manifestDigest } = opened
    checkBinding(context, manifest, now)
    authentic.push(path)
    const current = await store.bundle()
    const number = target?.manifest.number ?? current?.number ?? 0
    must(
      manifest.number >= number,
      'bundle-lower',
      `This material belongs to bundle ${manifest.number}, not ${number}.`,
    )
    must(
      manifest.number === number,
      'bundle-gap',
      `This material belongs to bundle ${manifest.number}: import it first.`,
    )
    const digest = target?.manifestDigest ?? current?.head
    must(manifest.bundle === digest, 'bundle-forked', `This material belongs to another bundle ${number}.`)
    if (!target && current?.material === manifestDigest) return null
    await checkMaterialNames(context, opened, now)
    return opened
  } finally {
    lines.return(undefined)
  }
}
