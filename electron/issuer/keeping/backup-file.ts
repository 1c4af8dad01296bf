import { createHash } from 'node:crypto'
import { z } from 'zod'
import { KeyriteError, must } from '../../../shared/errors.ts'
import { digest, fromBase64url, fromUtf8, toBase64url, utf8 } from '../../../shared/formats/bytes.ts'
import { digestSchema, environmentSchema, idSchema, instantSchema } from '../../../shared/formats/common.ts'
import { canonicalBytes, canonicalText, KB, MB, parseAs, parseJson } from '../../../shared/formats/json.ts'
import { readLinesGuarded } from '../../files/read.ts'
import { NewFile } from '../../files/write.ts'
import { open, seal } from '../sealing.ts'

/**
 * A backup file: a line that says what it is, then lines of sealed chunks. Each chunk is bound to that first line, to its
 * number and to whether it is the last: nothing can be cut off, exchanged or put in another order. A chunk holds rows as
 * canonical JSON, one a line; bytes are written as {"bytes": base64url}.
 */

export const headerSchema = z.strictObject({
  format: z.literal(1),
  type: z.literal('runtime-backup'),
  /** Random, so that no two backups begin alike. */
  id: digestSchema,
  runtimeId: idSchema,
  environment: environmentSchema,
  practice: z.boolean(),
  storageKeyId: digestSchema,
  at: instantSchema,
})
export type BackupHeader = z.infer<typeof headerSchema>

const valueSchema = z.union([z.string(), z.number(), z.null(), z.strictObject({ bytes: z.string() })])
const itemSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('config'), config: z.record(z.string(), z.unknown()) }),
  z.strictObject({ type: z.literal('trust-anchor'), jws: z.string().max(64 * KB) }),
  z.strictObject({ type: z.literal('row'), table: z.string().max(40), row: z.record(z.string(), valueSchema) }),
])
export type BackupItem = z.infer<typeof itemSchema>

const CHUNK = 256 * KB
const ITEM_MAX = 16 * MB
/** A chunk is closed once it is full, so that it holds one item beyond at most; base64url takes a third more. */
const CAPS = { maxBytes: 1024 * 1024 * MB, maxLine: 32 * MB }

/** Writes a backup. Gives the SHA-256 of the file, and its size. Codes of `NewFile`. */
export async function writeBackup(
  path: string,
  header: BackupHeader,
  key: Uint8Array,
  items: AsyncIterable<BackupItem>,
): Promise<{ digest: string; bytes: number }> {
  const file = new NewFile(path)
  const hash = createHash('sha256')
  const done = { chunks: 0, bytes: 0 }
  const first = canonicalText(header)
  const put = (line: string) => {
    file.write(`${line}\n`)
    hash.update(`${line}\n`)
    done.bytes += line.length + 1
  }
  const close = (text: string, last: boolean) =>
    put(toBase64url(seal(key, utf8(text), bind(digest(first), done.chunks++, last))))
  try {
    put(first)
    let text = ''
    for await (const item of items) {
      text += `${canonicalText(item)}\n`
      if (text.length < CHUNK) continue
      close(text, false)
      text = ''
    }
    close(text, true)
    file.commit()
  } catch (error) {
    file.discard()
    throw error
  }
  return { digest: hash.digest('base64url'), bytes: done.bytes }
}

const bind = (first: string, number: number, last: boolean) => canonicalBytes(['keyrite backup 1', first, number, last])

/** Reads what a backup says of itself; nothing of it is proved. Codes of reading, `format-invalid`. */
export function readBackupHeader(path: string): BackupHeader {
  const lines = readLinesGuarded(path, CAPS)
  const first = lines.next()
  lines.return(undefined)
  must(first.done !== true && first.value.length <= 4 * KB, 'format-invalid', `${path} is not a backup of a runtime.`)
  return headerOf(first.value)
}

const headerOf = (line: Uint8Array): BackupHeader =>
  parseAs(headerSchema, parseJson(line, { maxBytes: 4 * KB }), 'backup of a runtime')

/** The items of a backup in order. A whole one only: the last chunk must be there. Codes `decryption-failed`, of reading. */
export function* readBackup(path: string, key: Uint8Array): Generator<BackupItem> {
  let first: string | null = null
  let number = 0
  let before: Uint8Array | null = null
  for (const line of readLinesGuarded(path, CAPS)) {
    if (first === null) {
      headerOf(line)
      first = digest(line)
      continue
    }
    if (before) yield* itemsOf(openChunk(before, key, bind(first, number++, false)))
    before = line
  }
  must(first !== null && before, 'format-invalid', `${path} ends before its first part.`)
  yield* itemsOf(openChunk(before, key, bind(first, number, true)))
}

function openChunk(line: Uint8Array, key: Uint8Array, bound: Uint8Array): string {
  try {
    return fromUtf8(open(key, fromBase64url(fromUtf8(line)), bound, 'A part of the backup'))
  } catch (cause) {
    throw new KeyriteError('decryption-failed', 'The backup is damaged, cut off or put together from several.', {
      hint: 'Take another copy of it, or another backup.',
      cause,
    })
  }
}

function* itemsOf(text: string): Generator<BackupItem> {
  for (const line of text.split('\n'))
    if (line !== '') yield parseAs(itemSchema, parseJson(line, { maxBytes: ITEM_MAX }), 'row of a backup')
}
