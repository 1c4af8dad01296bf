import { randomInt } from 'node:crypto'
import { basename, join } from 'node:path'
import { asKeyriteError, type Code, isKeyriteError, must } from '../../shared/errors.ts'
import { BUNDLE_CAPS, type OpenBundle, openBundle } from '../../shared/formats/bundle-file.ts'
import { openCheckpoint } from '../../shared/formats/checkpoint.ts'
import { handoffFileType, MATERIAL_CAPS, type OpenMaterial, openMaterial } from '../../shared/formats/material-file.ts'
import { readLinesGuarded } from '../files/read.ts'
import { type Context, markHighwater } from './context.ts'
import { checkBinding, checkSequence } from './import-checks.ts'
import { settle } from './lifecycle.ts'
import { checkMaterialNames, clearStaging, stageBundle, stageMaterial } from './staging.ts'
import { lockFile, type Store } from './store.ts'
import { eraseTransportKey, openTransportKey } from './transport.ts'

/**
 * Import (handoff.md, "Binding"): everything is checked before anything is decrypted, and staged before it counts; then
 * one short transaction makes it current. A refusal leaves the store as it was.
 */

export type ImportResult = {
  /** `no-op`: exactly this was imported before. */
  outcome: 'imported' | 'no-op'
  number: number
  manifest: string
  /** Tenants of the bundle, 0 when only material was imported; private keys taken. */
  tenants: number
  keys: number
}

export type ImportProgress = (stage: 'bundle' | 'material', done: number, total: number) => void

/** Authentic files that break a rule: the vault must hear of them. */
const ALARMS: readonly Code[] = ['bundle-forked', 'tombstone-hit', 'bundle-refused', 'key-refused']

type Files = { bundle: string | null; material: string | null }

/**
 * Imports a bundle, its material, or both, in any order of `paths`. Codes: `usage-invalid` for other files, those of
 * reading and verifying, of `checkBinding` and `checkSequence`, what `stageBundle` and `stageMaterial` refuse, and
 * `store-busy` while another import runs.
 */
export async function importFiles(
  context: Context,
  paths: readonly string[],
  progress: ImportProgress = () => {},
): Promise<ImportResult> {
  const files = sortFiles(paths)
  const authentic: string[] = []
  const unlock = lockImports(context)
  try {
    return await run(context, files, authentic, progress)
  } catch (error) {
    tidy(context.store)
    alarm(context, error, authentic.at(-1))
    throw error
  } finally {
    unlock()
  }
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

/** One import at a time, of all processes. The lock ends with its process, so that a crash leaves none. Code `store-busy`. */
const lockImports = ({ dir, sealer }: Context): (() => void) => lockFile(join(dir, 'import.lock'), sealer.fileKey)

/** Leftovers of a refusal do no harm; the next import clears them where the medium is too full to do it now. */
function tidy(store: Store): void {
  try {
    clearStaging(store)
  } catch {
    // The refusal itself is what the operator must see.
  }
}

function alarm(context: Context, error: unknown, file: string | undefined): void {
  const { store, receipts, clock } = context
  const { code } = asKeyriteError(error)
  if (file === undefined || !isKeyriteError(error) || !ALARMS.includes(code)) return
  const name = basename(file)
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 200)
  store.change(() => receipts.append(clock.now(), { type: 'import-refused', code, file: name }))
  markHighwater(context)
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
  clearStaging(store)

  // 1. The bundle: who it is for and where it stands, then every tenant into staging.
  const bundle = files.bundle ? await takeBundle(context, files.bundle, id, now, authentic, progress) : null
  // 2. The material: that it belongs to this bundle, then for whom each key is; nothing is decrypted yet.
  const target = bundle?.fresh ? bundle.opened : null
  const material = files.material ? await checkMaterial(context, files.material, target, now, authentic) : null
  // 3. Decrypt, compare with the public halves, seal into staging.
  if (material && files.material) {
    const transportKey = await openTransportKey(store, context.sealer, material.manifest.transportKey)
    const lines = readLinesGuarded(files.material, MATERIAL_CAPS)
    try {
      const opened = await openMaterial(lines, context.anchor)
      await stageMaterial(context, id, opened, transportKey, (done, total) => progress('material', done, total))
    } finally {
      lines.return(undefined)
    }
  }
  // 4. Make it current.
  const result = commit(context, { id, now, bundle: target, eventSeq: bundle?.eventSeq ?? 0, material })
  clearStaging(store)
  settle(context)
  markHighwater(context)
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
    const fresh = checkSequence(store, manifest, manifestDigest) === 'next'
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
    const current = store.bundle()
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

type Commit = {
  id: number
  now: number
  bundle: OpenBundle | null
  eventSeq: number
  material: OpenMaterial | null
}

/** Everything that was staged becomes current, with its receipts, or nothing does. */
function commit({ store, receipts }: Context, { id, now, bundle, eventSeq, material }: Commit): ImportResult {
  return store.change(() => {
    const current = store.bundle()
    const manifest = bundle?.manifest
    const tenants = manifest?.tenants ?? 0
    const keys = material?.manifest.keys ?? 0
    const number = manifest?.number ?? current?.number ?? 0
    const head = bundle?.manifestDigest ?? current?.head ?? ''
    const outcome = bundle || material ? 'imported' : 'no-op'
    store.run(
      'INSERT INTO imports (id, at, number, manifest, outcome) VALUES (?, ?, ?, ?, ?)',
      id,
      now,
      number,
      head,
      outcome,
    )
    const result = { outcome, number, manifest: head, tenants, keys } as const
    if (outcome === 'no-op') return result

    const undisturbed =
      count(store.get('SELECT count(*) AS n FROM staged_tenants WHERE import = ?', id)) === tenants &&
      count(store.get('SELECT count(*) AS n FROM staged_private_keys WHERE import = ?', id)) === keys &&
      (!manifest || manifest.previous === (current?.head ?? null)) &&
      (bundle !== null || material?.manifest.bundle === current?.head)
    must(undisturbed, 'store-busy', 'Another import ran at the same time.')
    store.run(PUBLISH_TENANTS, manifest?.iat ?? 0)
    for (const sql of PUBLISH) store.run(sql)
    store.setBundle({
      number,
      head,
      importedAt: bundle ? now : (current?.importedAt ?? now),
      receiptsSeen: manifest?.receiptsSeen ?? current?.receiptsSeen ?? 0,
      eventSeq: bundle ? eventSeq : (current?.eventSeq ?? 0),
      material: material?.manifestDigest ?? (bundle ? null : (current?.material ?? null)),
    })
    receipts.append(now, {
      type: 'imported',
      number,
      manifest: head,
      tenants,
      keys,
      eventSeq: store.bundle()?.eventSeq ?? 0,
    })
    if (material && eraseTransportKey(store, material.manifest.transportKey, now))
      receipts.append(now, { type: 'transport-key-erased', key: material.manifest.transportKey })
    const clock = store.clock()
    store.setClock({ ...clock, floor: Math.max(clock.floor, now) })
    return result
  })
}

const count = (row: unknown): number => (row as { n: number }).n

/** From staging to current. What is known of a key stays known. */
const PUBLISH_TENANTS = `
   INSERT INTO tenants (tenant, location, entry, iat, import, data_key, version, due)
   SELECT tenant, location, entry, ?, import, coalesce(data_key, x''), 1, 0 FROM staged_tenants WHERE true
   ON CONFLICT (tenant) DO UPDATE SET
     entry = excluded.entry, iat = excluded.iat, import = excluded.import, version = version + 1, due = 0`
const PUBLISH = [
  `INSERT INTO keys (kid, tenant, spec, jwk, announce_at, first_published, delivered_until)
   SELECT kid, tenant, spec, jwk, announce_at, first_published, delivered_until FROM staged_keys WHERE true
   ON CONFLICT (kid) DO UPDATE SET delivered_until = max(delivered_until, excluded.delivered_until)`,
  `INSERT OR IGNORE INTO tombstones (kid, tenant, at) SELECT kid, tenant, at FROM staged_tombstones`,
  `INSERT OR REPLACE INTO private_keys (kid, tenant, sealed) SELECT kid, tenant, sealed FROM staged_private_keys`,
  `UPDATE tenants SET version = version + 1, due = 0 WHERE tenant IN (SELECT tenant FROM staged_private_keys)`,
]
