import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { asKeyriteError, KeyriteError, must } from '../../shared/errors.ts'
import { fromUtf8 } from '../../shared/formats/bytes.ts'
import { openCheckpoint } from '../../shared/formats/checkpoint.ts'
import { CHAIN_START } from '../../shared/formats/event.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import { brokenAt, followRow, LOG_LINE_MAX, type LogRow, logLine, parseLogLine } from '../../shared/formats/log.ts'
import { type CeremonyRecord, type RecordBody, recordDigest } from '../../shared/formats/record.ts'
import type { Anchor } from '../../shared/formats/trust-anchor.ts'
import { capital, counted } from '../../shared/pages/words.ts'
import { readLinesGuarded } from '../files/read.ts'
import { anchorOf, type Context, Findings } from './findings.ts'
import { type Replayed, replay } from './replay.ts'

/** The extract of the log that stands beside a record, and extracts by themselves. */

export const LOG_NAME = 'log.ndjson'
const FILE_MAX = 4 * 1024 ** 3

/** The rows of an extract, one at a time. Codes of `readLinesGuarded`, `format-invalid` naming the line. */
function* readLog(path: string): Generator<LogRow> {
  let line = 0
  for (const bytes of readLinesGuarded(path, { maxBytes: FILE_MAX, maxLine: LOG_LINE_MAX })) {
    line++
    yield parsed(bytes, line)
  }
}

function parsed(bytes: Uint8Array, line: number): LogRow {
  try {
    const row = parseLogLine(bytes)
    must(logLine(row) === fromUtf8(bytes), 'format-invalid', 'It is not written as Keyrite writes it.')
    return row
  } catch (cause) {
    throw new KeyriteError('format-invalid', `Line ${line}: ${asKeyriteError(cause).message}`, { cause })
  }
}

/** Replays the record at `path` from the extract beside it. What is wrong with the extract is said of the extract. */
export async function replayRecord(
  path: string,
  file: CeremonyRecord,
  anchor: Anchor,
  context: Context,
  findings: Findings,
): Promise<void> {
  const log = join(dirname(path), LOG_NAME)
  if (!existsSync(log))
    return findings.remark(`It could not be replayed, because the log extract (${LOG_NAME}) is not beside it.`)
  const found = new Findings()
  context.logs.set(log, found)
  const replayed = await found.attempt(() => replay(readLog(log), file.record, anchor))
  if (!replayed) return findings.remark(`It could not be replayed, because the log extract beside it does not hold.`)
  const differences = differencesOf(file, replayed)
  for (const one of differences) findings.problem(one)
  const { events, signatures, approvals } = replayed.counts
  const told = `${counted(events, 'event')}, ${counted(signatures, 'signature')} of people, ${counted(approvals, 'approval')} and the root's checkpoint`
  found.fact(`Every link and every signature holds: ${told}.`)
  if (differences.length === 0)
    findings.fact(`Replayed from the log beside it: it says exactly what follows from ${told}.`)
  if (findings.problems.length > 0) found.problem('It belongs to the record beside it, which is not verified.')
  else found.anchored = true
}

/** What a difference is called: one of a list, or a member by itself. */
const LISTS: Partial<Record<keyof RecordBody, string>> = {
  rosters: 'roster',
  participants: 'participant',
  attendance: 'change of who was there',
  script: 'step of the script',
  steps: 'step',
  approvals: 'approval',
  deviations: 'deviation',
  certificates: 'certificate',
}
const MEMBERS: Partial<Record<keyof RecordBody, string>> = {
  kind: 'kind of ceremony',
  vault: 'vault',
  anchor: 'trust anchor',
  plan: 'plan',
  planDigest: 'digest of the plan',
  startedAt: 'time when it started',
  clock: 'time that people confirmed',
  headCard: 'head card that was shown',
  events: 'range of events',
}

const same = (one: unknown, other: unknown): boolean => canonicalText({ one }) === canonicalText({ one: other })

/** Every difference between a record and what follows from its events. */
function differencesOf({ record, signatures, closing }: CeremonyRecord, replayed: Replayed): string[] {
  const { ended } = replayed
  const lists = Object.entries(LISTS).flatMap(([name, word]) =>
    listDifference(record[name as keyof RecordBody], replayed.record[name as keyof RecordBody], word),
  )
  const members = Object.entries(MEMBERS).flatMap(([name, word]) =>
    same(record[name as keyof RecordBody], replayed.record[name as keyof RecordBody])
      ? []
      : [`The ${word} is not the one that the log has.`],
  )
  const { to: seq, head } = record.events
  const rules: [boolean, string][] = [
    [ended.how === 'completed', 'The log does not end this ceremony as completed.'],
    [ended.record === recordDigest(record), 'The log ends this ceremony with another record.'],
    [same(ended.signOffs, signatures), 'The signatures are not the ones that the log has.'],
    [same(replayed.closing, closing), 'The approvals that close it are not the ones that the log has.'],
    [same(ended.covers, { seq, head }), 'The log ends this ceremony with a record of other events.'],
  ]
  return [...lists, ...members, ...rules.flatMap(([holds, otherwise]) => (holds ? [] : [otherwise]))]
}

function listDifference(said: unknown, happened: unknown, word: string): string[] {
  if (!Array.isArray(said) || !Array.isArray(happened) || same(said, happened)) return []
  if (said.length !== happened.length)
    return [`The record has ${counted(said.length, word)}, the log ${counted(happened.length, word)}.`]
  const index = said.findIndex((one, at) => !same(one, happened[at]))
  return [`${capital(word)} ${index + 1} is not the one that the log has.`]
}

/** An extract by itself: its rows follow one another. Whose they are shows only beside a record. */
export async function checkLog(path: string, context: Context, findings: Findings): Promise<void> {
  if (context.logs.has(path)) return
  const anchor = anchorOf(context, findings)
  if (!anchor) return
  let first: LogRow | null = null
  let last = { seq: 0, head: '', at: 0 }
  let signed = 0
  for (const row of readLog(path)) {
    if (!first) {
      first = row
      last = { seq: row.seq - 1, head: row.seq === 1 ? CHAIN_START : row.prev, at: row.at }
    }
    const { seq, hash, at, event } = followRow(anchor.vaultId, last, row)
    if (at < last.at) throw brokenAt(seq, 'it is older than the one before')
    if (event.type === 'checkpoint') {
      const said = await openCheckpoint(event.statement, anchor.key, anchor.practice)
      must(
        said.seq === last.seq && said.head === last.head,
        'vault-history-broken',
        `Event ${seq} of the vault is the checkpoint of another history.`,
      )
      signed = said.seq
    }
    last = { seq, head: hash, at }
  }
  if (!first) return findings.problem('There is no event in it.')
  findings.fact(`Events ${first.seq} to ${last.seq} follow one another without a gap.`)
  findings.fact(
    signed > 0 ? `The root signed the log up to event ${signed}.` : 'No checkpoint of the root is among them.',
  )
  findings.remark('Who caused these events, and that a quorum approved, is checked only with the record beside them.')
}
