import { z } from 'zod'
import type { LoggedEvent, VaultEvent } from '../domain/events.ts'
import { KeyriteError } from '../errors.ts'
import { digestSchema, instantSchema } from './common.ts'
import { eventHash, parseEvent } from './event.ts'
import { canonicalText, MB, parseAs, parseJson } from './json.ts'

/** Rows of the event log, in the vault's file and in the extract that stands beside a record. */

/** An Ed25519 signature in canonical base64url. */
export const EVENT_SIGNATURE = /^[A-Za-z0-9_-]{85}[AQgw]$/

/** One row as it stands in an extract: the body is the vault's own bytes. */
export const logRowSchema = z.strictObject({
  seq: z.int().min(1),
  at: instantSchema,
  actor: z.string().min(1).max(64),
  body: z.string().max(64 * MB),
  prev: digestSchema,
  hash: digestSchema,
  signature: z.string().regex(EVENT_SIGNATURE).nullable(),
})
export type LogRow = z.infer<typeof logRowSchema>

/** Whom the log names where the software acts by itself: such rows have no signature. */
export const SOFTWARE = 'keyrite'

/** A row's line is at most this long: a body is capped, and JSON in JSON may double it. */
export const LOG_LINE_MAX = 130 * MB

/** One line of an extract. */
export const logLine = ({ seq, at, actor, body, prev, hash, signature }: LogRow): string =>
  canonicalText({ seq, at, actor, body, prev, hash, signature })

/** Codes `json-invalid`, `format-invalid`. */
export const parseLogLine = (bytes: Uint8Array): LogRow =>
  parseAs(logRowSchema, parseJson(bytes, { maxBytes: LOG_LINE_MAX, maxDepth: 2 }), 'row of a log')

/**
 * The event in the row that follows `last`. Code `vault-history-broken`, naming the event, when its place or its link
 * does not fit or its body is not one that Keyrite writes.
 */
export function followRow(vaultId: string, last: { seq: number; head: string }, row: LogRow): LoggedEvent {
  const seq = last.seq + 1
  const { at, actor, hash } = row
  if (row.seq !== seq || row.prev !== last.head || hash !== eventHash(vaultId, row))
    throw brokenAt(Math.min(seq, row.seq), 'its link does not fit')
  return { seq, at, actor, hash, signature: row.signature, event: readable(row.body, seq) }
}

function readable(body: string, seq: number): VaultEvent {
  try {
    return parseEvent(body)
  } catch (cause) {
    throw new KeyriteError('vault-history-broken', `Event ${seq} of the vault is not one that Keyrite writes.`, {
      cause,
    })
  }
}

export const brokenAt = (seq: number, why: string): KeyriteError =>
  new KeyriteError('vault-history-broken', `Event ${seq} of the vault was changed, moved or removed: ${why}.`)
