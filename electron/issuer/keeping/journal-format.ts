import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { z } from 'zod'
import { must } from '../../../shared/errors.ts'
import { digestSchema, idSchema, instantSchema } from '../../../shared/formats/common.ts'
import { KB, MB } from '../../../shared/formats/json.ts'
import { RECEIPT_MAX } from '../../../shared/formats/receipt.ts'
import { ioError } from '../../files/errors.ts'

/** What stands in the files of the second place (journal.ts), and how their lines are read. */

export const LINE_MAX = 2 * MB

/** A row of a table as it stands in the store: public facts about a key. */
export const rowSchema = z.record(
  z.string().regex(/^[a-z_]{1,40}$/),
  z.union([z.string().max(64 * KB), z.number(), z.null()]),
)
export type Row = z.infer<typeof rowSchema>

export const entrySchema = z.discriminatedUnion('type', [
  /** Facts about keys that the receipts after it state. */
  z.strictObject({ type: z.literal('keys'), keys: z.array(rowSchema).min(1).max(100) }),
  /** A signed receipt, and the client that it says was added. */
  z.strictObject({
    type: z.literal('receipt'),
    seq: z.int().min(1),
    jws: z.string().max(RECEIPT_MAX),
    client: z
      .string()
      .max(512 * KB)
      .nullable(),
  }),
])
export type Entry = z.infer<typeof entrySchema>

const clockSchema = z.strictObject({
  floor: instantSchema,
  servedUntil: instantSchema.nullable(),
  confirmedAt: instantSchema.nullable(),
  hold: z.strictObject({ kind: z.enum(['jump', 'downtime']), from: instantSchema, to: instantSchema }).nullable(),
})

export const markSchema = z.strictObject({
  id: digestSchema,
  lines: z.int().min(0),
  bytes: z.int().min(0),
  receiptSeq: z.int().min(0),
  receiptHead: digestSchema.nullable(),
  number: z.int().min(0),
  head: digestSchema.nullable(),
  clock: clockSchema,
})
export type Mark = z.infer<typeof markSchema>

export const headerSchema = z.strictObject({
  format: z.literal(1),
  type: z.literal('runtime-journal'),
  runtimeId: idSchema,
  id: digestSchema,
  storageKeyId: digestSchema,
})

const CHUNK = 256 * KB

/** The whole lines of a file that others may be appending to, with where each ends. */
export function* linesFrom(path: string, from: number): Generator<{ line: Uint8Array; end: number }> {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    throw ioError(error, 'Reading', path)
  }
  try {
    must(fstatSync(fd).isFile(), 'file-refused', `Reading ${path}: it is not a regular file.`)
    let rest = Buffer.alloc(0)
    for (let at = from, got = 1; got > 0; at += got) {
      const chunk = Buffer.alloc(CHUNK)
      got = readSync(fd, chunk, 0, CHUNK, at)
      const joined = Buffer.concat([rest, chunk.subarray(0, got)])
      let start = 0
      for (let end = joined.indexOf(10); end !== -1; end = joined.indexOf(10, start)) {
        yield { line: joined.subarray(start, end), end: at - rest.length + end + 1 }
        start = end + 1
      }
      rest = joined.subarray(start)
      if (rest.length > LINE_MAX) return
    }
  } catch (error) {
    throw ioError(error, 'Reading', path)
  } finally {
    closeSync(fd)
  }
}
