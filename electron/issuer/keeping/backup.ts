import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { utcStamp } from '../../../shared/domain/utc.ts'
import { must } from '../../../shared/errors.ts'
import { fromBase64url, sha256, toBase64url, toHex } from '../../../shared/formats/bytes.ts'
import { canonicalText } from '../../../shared/formats/json.ts'
import { peekStatement } from '../../../shared/formats/jws.ts'
import { receiptSchema } from '../../../shared/formats/receipt.ts'
import { digestLines } from '../../files/lines.ts'
import { makeFolder, tryRemove } from '../../files/write.ts'
import { readConfigFile } from '../config.ts'
import { type Context, markHighwater } from '../context.ts'
import { placeOf } from '../store/open.ts'
import type { Reader } from '../store/store.ts'
import { type BackupHeader, type BackupItem, writeBackup } from './backup-file.ts'
import { openSnapshot, type Snapshot, TABLES, type TableRow } from './snapshot.ts'

export type BackupMade = {
  path: string
  digest: string
  bytes: number
  /** Private halves in it. */
  keys: number
  /** The id of the storage key that opens it. */
  storageKey: string
}

/**
 * Writes the whole store as of one instant into a new file of `folder`, sealed under a key of the storage key, and states
 * it in a receipt. The issuance log, used client assertions and propagation evidence are not in it. Codes of `NewFile`,
 * `store-unreachable`, `store-busy` where a private half was erased meanwhile.
 */
export async function makeBackup(context: Context, folder: string, actor: string): Promise<BackupMade> {
  const { dir, config, store, sealer, receipts, clock } = context
  const at = clock.now()
  const header: BackupHeader = {
    format: 1,
    type: 'runtime-backup',
    id: toBase64url(randomBytes(32)),
    runtimeId: config.runtimeId,
    environment: config.environment,
    practice: config.practice,
    storageKeyId: sealer.keyId,
    at,
  }
  const name = toHex(sha256(canonicalText(header))).slice(0, 8)
  const path = join(folder, `runtime-backup-${name}-${utcStamp(at)}.keyrite`)
  makeFolder(folder)
  const snapshot = await openSnapshot(placeOf(dir, config, sealer.fileKey))
  const counted = { keys: 0, receipts: 0 }
  try {
    const written = await writeBackup(path, header, sealer.backupKey, itemsOf(context, snapshot, counted))
    const [keys, storageKey, backup] = [counted.keys, sealer.keyId, written.digest]
    try {
      must(digestLines(path) === backup, 'medium-failed', `Writing ${path}: it reads back differently.`)
      await store.change(async (tx) => {
        await mustHoldAll(tx, counted.receipts)
        await receipts.append(tx, at, { type: 'backup-made', backup, keys, storageKey, actor })
      })
    } catch (error) {
      tryRemove(path)
      throw error
    }
    await markHighwater(context)
    return { path, ...written, keys, storageKey }
  } finally {
    await snapshot.close()
  }
}

/**
 * The vault counts a private half in a backup unless it was erased before the receipt of that backup: none may be in this
 * one whose erasure was stated in between. Code `store-busy`.
 */
async function mustHoldAll(tx: Reader, seq: number): Promise<void> {
  const since = await tx.all<{ jws: string }>('SELECT jws FROM receipts WHERE seq > ?', seq)
  const erased = since.some(({ jws }) => peekStatement(jws, receiptSchema, 'receipt').stated.type === 'erased')
  must(!erased, 'store-busy', 'A private half was erased while the backup was written. No backup was kept.')
}

async function* itemsOf(
  { dir, anchor }: Context,
  snapshot: Snapshot,
  counted: { keys: number; receipts: number },
): AsyncGenerator<BackupItem> {
  yield { type: 'config', config: readConfigFile(dir) }
  yield { type: 'trust-anchor', jws: anchor.jws }
  for (const table of TABLES)
    for await (const row of snapshot.rows(table)) {
      if (table === 'private_keys') counted.keys += 1
      if (table === 'receipts') counted.receipts = Math.max(counted.receipts, Number(row['seq']))
      yield { type: 'row', table, row: encodeRow(row) }
    }
}

type Encoded = Extract<BackupItem, { type: 'row' }>['row']

const encodeRow = (row: TableRow): Encoded =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? { bytes: toBase64url(value) } : value,
    ]),
  )

/** A row as the store takes it. Code `format-invalid`. */
export const decodeRow = (row: Encoded): TableRow =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value !== null && typeof value === 'object' ? fromBase64url(value.bytes) : value,
    ]),
  )
