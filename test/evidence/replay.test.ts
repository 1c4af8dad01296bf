import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FileReport, type Report, verifyFiles } from '../../electron/evidence/verify.ts'
import { SIGN_OFF } from '../../shared/domain/script.ts'
import { signApproval } from '../../shared/formats/approval.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { eventHash } from '../../shared/formats/event.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import { type LogRow, logLine } from '../../shared/formats/log.ts'
import {
  type CeremonyRecord,
  closingObjects,
  parseRecord,
  type RecordBody,
  recordDigest,
  signersOf,
} from '../../shared/formats/record.ts'
import { collectSignOffs } from '../../shared/formats/sign-off.ts'
import { filesOf, type Genesis, makeGenesis, type Room, tenantPlan } from '../ceremony/fixtures.ts'

/** Records of real ceremonies, replayed from the log extract that stands beside each. */

const MAIN = join(import.meta.dirname, '../../electron/cli/main.ts')
const LOG = 'log.ndjson'

let genesis: Genesis
let room: Room
let anchor: string
/** The record folder of an onboarding and, for foreign rows, that of the genesis before it. */
let folder: string
/** The first event of the onboarding and the last that its record covers. */
let from: number
let to: number
let copies = 0
beforeAll(async () => {
  genesis = await makeGenesis()
  room = genesis.room()
  folder = (await room.onboard(tenantPlan('acme'), tenantPlan('beta'))).result.recordFolder
  ;({ from, to } = recordIn(folder).record.events)
  anchor = join(room.media, filesOf(room.media).find((name) => name.startsWith('trust-anchor-')) ?? '')
})
afterAll(() => genesis.remove())

const verify = (...paths: string[]): Promise<Report> => verifyFiles(paths, anchor, room.clock.now())
const fileOf = (report: Report, name: string): FileReport => {
  const found = report.files.find((file) => basename(file.file) === name)
  if (!found) throw new Error(`${name} is not in the report.`)
  return found
}
const rowsIn = (of: string): LogRow[] =>
  readFileSync(join(of, LOG), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
const recordIn = (of: string): CeremonyRecord => parseRecord(readFileSync(join(of, 'record.json')))
const numbered = (name: string): string => join(room.base, `${name}-${++copies}`)

/** A copy of the onboarding's folder with this extract beside its record. */
function beside(lines: readonly (LogRow | string)[]): string {
  const copy = numbered('copy')
  cpSync(folder, copy, { recursive: true })
  writeFileSync(join(copy, LOG), lines.map((row) => `${typeof row === 'string' ? row : logLine(row)}\n`).join(''))
  return copy
}

/** The rows with one changed, and every link after it made to fit again, as somebody without any key could do. */
function rechained(rows: readonly LogRow[], index: number, change: (row: LogRow) => void): LogRow[] {
  const changed = structuredClone([...rows])
  const vaultId = recordIn(folder).record.vault.id
  const row = changed[index]
  if (row) change(row)
  changed.forEach((one, at) => {
    if (at < index) return
    one.prev = at === 0 ? one.prev : (changed[at - 1]?.hash ?? '')
    one.hash = eventHash(vaultId, one)
  })
  return changed
}

describe('a record with its log beside it', () => {
  test('is replayed: every kind of ceremony of a life, and both files are verified', async () => {
    const report = await verify(room.records)
    expect(report.files.filter((file) => !file.ok)).toEqual([])
    const logs = report.files.filter((file) => file.kind === 'log')
    expect(logs.map((file) => file.standing)).toEqual(['verified', 'verified'])
    for (const file of report.files.filter(({ kind }) => kind === 'record')) {
      expect(file.facts.join()).toContain('it says exactly what follows from')
      expect(file.remarks).toEqual([])
    }
  })

  test('given alone brings its log into the report', async () => {
    const report = await verify(join(folder, 'record.json'))
    expect(fileOf(report, LOG).standing).toBe('verified')
  })

  test('the extract is the rows as they stand in the vault, from the first event of the ceremony to its checkpoint', async () => {
    const { record } = recordIn(folder)
    const kept = await room.withVault((vault) => [...vault.rows(record.events.from, record.events.to + 3)])
    expect(rowsIn(folder)).toEqual(kept)
    expect(kept.length).toBe(record.events.to - record.events.from + 4)
    expect((JSON.parse(kept.at(-1)?.body ?? '') as { type: string }).type).toBe('checkpoint')
    const listed = readFileSync(join(folder, 'SHA256SUMS'), 'utf8')
    expect(listed).toContain(`  ${LOG}\n`)
    execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: folder })
  })

  test('without its log is verified as far as it goes, and says that it could not be replayed', async () => {
    const copy = beside([])
    rmSync(join(copy, LOG))
    const found = fileOf(await verify(join(copy, 'record.json')), 'record.json')
    expect(found.standing).toBe('verified')
    expect(found.remarks).toEqual(['It could not be replayed, because the log extract (log.ndjson) is not beside it.'])
    expect(found.facts.join()).not.toContain('Replayed')
  })

  test('a log by itself is consistent; without a trust anchor it is not judged', async () => {
    const alone = numbered('alone')
    writeFileSync(alone, readFileSync(join(folder, LOG)))
    const [found] = (await verify(alone)).files
    expect([found?.kind, found?.standing]).toEqual(['log', 'consistent'])
    expect(found?.facts).toEqual([
      `Events ${from} to ${to + 3} follow one another without a gap.`,
      `The root signed the log up to event ${to + 2}.`,
    ])
    const [bare] = (await verifyFiles([alone], null)).files
    expect(bare?.problems).toEqual(['No trust anchor is given, so nothing in this file is verified.'])
    writeFileSync(alone, readFileSync(alone, 'utf8').replace('"actor":"grace"', '"actor":"ada"'))
    expect(fileOf(await verify(alone), basename(alone)).problems.join()).toContain('its link does not fit')
  })
})

describe('an extract changed in any row is named, and the record is not replayed from it', () => {
  async function refused(lines: readonly (LogRow | string)[], problem: RegExp): Promise<void> {
    const report = await verify(beside(lines))
    const log = fileOf(report, LOG)
    expect(log.standing).toBe('failed')
    expect(log.problems).toEqual([expect.stringMatching(problem)])
    expect(fileOf(report, 'record.json').remarks).toEqual([
      'It could not be replayed, because the log extract beside it does not hold.',
    ])
    expect(report.files.filter((file) => !file.ok).map((file) => basename(file.file))).toEqual(['SHA256SUMS', LOG])
  }
  const each = async (work: (row: LogRow, index: number, rows: LogRow[]) => Promise<void>): Promise<void> => {
    const rows = rowsIn(folder)
    expect(rows.length).toBeGreaterThan(10)
    for (const [index, row] of rows.entries()) await work(row, index, rows)
  }
  const near = ({ seq }: LogRow): RegExp =>
    new RegExp(`^Event (?:${seq}|${seq + 1}) of the vault was changed, moved or removed`)

  test(
    'edited',
    () =>
      each(async (row, index, rows) => {
        for (const change of [
          { at: row.at + 1 },
          { body: row.body.replace('"type":', '"type": ') },
          { actor: 'clara' },
        ])
          await refused(rows.with(index, { ...row, ...change }), near(row))
      }),
    60_000,
  )

  test(
    'edited, with every link made to fit again',
    () =>
      each(async (row, index, rows) => {
        const why = row.signature === null ? 'of the vault does not hold' : `.*${row.actor} did not sign it`
        const wanted = new RegExp(`^Event ${row.seq} ${why}`)
        await refused(
          rechained(rows, index, (one) => Object.assign(one, { at: one.at + 1 })),
          wanted,
        )
      }),
    60_000,
  )

  test(
    'given to another actor, with or without their own signature of another row',
    () =>
      each(async (row, index, rows) => {
        if (row.signature === null) return
        const actor = row.actor === 'ada' ? 'blaise' : 'ada'
        await refused(
          rechained(rows, index, (one) => Object.assign(one, { actor })),
          new RegExp(`^Event ${row.seq} .*${actor} did not sign it`),
        )
        await refused(
          rechained(rows, index, (one) => Object.assign(one, { actor: 'keyrite', signature: null })),
          /keyrite|person who is not on the roster/,
        )
        const other = rows[(index + 1) % (rows.length - 1)]?.signature ?? ''
        await refused(
          rows.with(index, { ...row, signature: other }),
          new RegExp(`^Event ${row.seq} .*${row.actor} did not sign it`),
        )
      }),
    60_000,
  )

  test(
    'left out',
    () =>
      each(async (row, index, rows) => {
        const wanted =
          index === 0
            ? new RegExp(`^It begins with event ${from + 1}, but the record begins with event ${from}\\.$`)
            : index === rows.length - 1
              ? new RegExp(`^After event ${to} it does not hold exactly`)
              : near(row)
        await refused(rows.toSpliced(index, 1), wanted)
      }),
    60_000,
  )

  test(
    'cut off behind it',
    () =>
      each(async (row, index, rows) => {
        if (index === rows.length - 1) return
        const wanted =
          row.seq < to
            ? new RegExp(`^It ends before event ${to}, the last one that the record covers\\.$`)
            : new RegExp(`^After event ${to} it does not hold exactly`)
        await refused(rows.slice(0, index + 1), wanted)
      }),
    60_000,
  )

  test(
    'moved behind the next one, or there twice',
    () =>
      each(async (row, index, rows) => {
        const next = rows[index + 1]
        if (next)
          await refused(
            rows.with(index, next).with(index + 1, row),
            index === 0 ? new RegExp(`^It begins with event ${from + 1},`) : near(row),
          )
        await refused(
          rows.toSpliced(index, 0, row),
          /^Event \d+ of the vault was changed, moved or removed: its link does not fit/,
        )
      }),
    60_000,
  )

  test(
    'followed or replaced by a row of another ceremony',
    () =>
      each(async (row, index, rows) => {
        const foreign = rowsIn(join(room.records, 'G-2026-001'))[3]
        if (!foreign) throw new Error('The genesis has more rows.')
        await refused(rows.with(index, foreign), index === 0 ? /^It begins with event/ : /its link does not fit/)
        await refused(rows.toSpliced(index + 1, 0, foreign), /its link does not fit/)
        await refused(rows.with(index, { ...foreign, seq: row.seq, prev: row.prev }), /its link does not fit/)
      }),
    60_000,
  )

  test.each([
    ['an empty file', []],
    ['a line that is not JSON', ['{"actor":x}']],
    ['a row with another member', ['{"actor":"ada","more":1}']],
    ['a line that does not end', null],
  ])('%s', async (_, lines) => {
    const copy = beside(lines ?? rowsIn(folder))
    if (lines === null) writeFileSync(join(copy, LOG), readFileSync(join(copy, LOG), 'utf8').trimEnd())
    const report = await verify(copy)
    expect(fileOf(report, LOG).standing).toBe('failed')
    expect(fileOf(report, LOG).problems).toHaveLength(1)
  })

  test('a row written differently than Keyrite writes it is refused, although it says the same', async () => {
    const rows = rowsIn(folder)
    const [first] = rows
    await refused(
      [logLine(first as LogRow).replace(':', ': '), ...rows.slice(1).map(logLine)],
      /^Line 1: It is not written as Keyrite writes it\.$/,
    )
  })
})

describe('a record that everybody signed and a quorum closed, but that does not follow from its events', () => {
  /** The record changed, then signed and closed again with everybody's real keys. */
  async function resigned(change: (body: RecordBody) => void | Promise<void>): Promise<Report> {
    const copy = numbered('forged')
    cpSync(folder, copy, { recursive: true })
    const { record } = recordIn(folder)
    await change(record)
    writeFileSync(join(copy, 'record.json'), canonicalText(await close(record)))
    return verify(join(copy, 'record.json'))
  }
  const person = (id: string) => {
    const found = room.people.get(id)
    if (!found) throw new Error(`${id} is unknown.`)
    return found
  }
  const approvedBy = (body: RecordBody, step: string, objects: string): Promise<string[]> =>
    Promise.all(
      ['ada', 'blaise'].map((id) =>
        signApproval(
          { vaultId: body.vault.id, epoch: 1, ceremony: body.ceremony, planDigest: body.planDigest, step, objects },
          true,
          person(id).signer,
        ),
      ),
    )
  async function close(body: RecordBody): Promise<CeremonyRecord> {
    const of = recordDigest(body)
    const objects = digest(canonicalText(closingObjects(of)))
    const now = room.clock.now
    const signers = signersOf(body).map(person)
    const ask = async () => ({ agrees: true as const })
    return {
      record: body,
      signatures: await collectSignOffs(of, signers, { practice: true, now, ask }),
      closing: { objects, approvals: await approvedBy(body, SIGN_OFF.id, objects) },
    }
  }

  const changes: [string, (body: RecordBody) => void | Promise<void>, string | (() => string)][] = [
    [
      'an observation',
      ({ steps }) => void Object.assign(steps[1] ?? {}, { observed: 'All fine.' }),
      'Step 2 is not the one that the log has.',
    ],
    [
      'a time',
      ({ steps }) => void Object.assign(steps[2] ?? {}, { at: (steps[2]?.at ?? 0) + 1 }),
      'Step 3 is not the one that the log has.',
    ],
    [
      'who noted it',
      ({ steps }) => void Object.assign(steps[0] ?? {}, { by: 'ada' }),
      'Step 1 is not the one that the log has.',
    ],
    [
      'an approval',
      async (body) => {
        const objects = digest('other objects')
        body.approvals = [{ step: 'make-keys', objects, approvals: await approvedBy(body, 'make-keys', objects) }]
      },
      'Approval 1 is not the one that the log has.',
    ],
    [
      'a deviation',
      ({ deviations, startedAt }) =>
        void deviations.push({ at: startedAt, by: 'ada', expected: 'a', happened: 'b', action: 'c' }),
      'The record has one deviation, the log no deviations.',
    ],
    [
      'who was there',
      (body) => {
        body.participants = body.participants.filter(({ id }) => id !== 'emmy')
        for (const one of body.attendance) one.present = one.present.filter((id) => id !== 'emmy')
        for (const one of body.steps) if (one.by === 'emmy') one.by = 'ada'
      },
      'The record has three participants, the log four participants.',
    ],
    [
      'when it started',
      (body) => {
        body.startedAt -= 1
        for (const one of body.attendance) one.at -= 1
      },
      'The time when it started is not the one that the log has.',
    ],
    [
      'the plan',
      (body) => {
        body.plan = body.plan.replace('acme', 'acne')
        body.planDigest = digest(body.plan)
      },
      'The plan is not the one that the log has.',
    ],
    [
      'a certificate',
      ({ certificates }) => void certificates.push({ certificate: 'D-2026-001-C1', statement: digest('x') }),
      'The record has one certificate, the log no certificates.',
    ],
    [
      'the confirmed time',
      (body) => {
        body.clock = { offset: 0, by: ['ada', 'emmy'] }
      },
      'The time that people confirmed is not the one that the log has.',
    ],
    [
      'the events',
      (body) => {
        body.events = { ...body.events, from: body.events.from - 1 }
      },
      () => `It begins with event ${from}, but the record begins with event ${from - 1}.`,
    ],
    [
      'the head',
      (body) => {
        body.events = { ...body.events, head: digest('another head') }
      },
      () => `The link of event ${to} is not the one that the record names.`,
    ],
  ]
  test.each(changes)('%s', async (_, change, problem) => {
    const report = await resigned(change)
    const all = [...fileOf(report, 'record.json').problems, ...fileOf(report, LOG).problems]
    expect(all).toContain(typeof problem === 'string' ? problem : problem())
    expect(fileOf(report, LOG).standing).toBe('failed')
  })

  test('the same record signed anew is not the one that the log ends with', async () => {
    const report = await resigned(() => room.clock.advance(1))
    expect(fileOf(report, 'record.json').problems).toEqual(
      [
        'The signatures are not the ones that the log has.',
        'The approvals that close it are not the ones that the log has.',
      ].slice(0, fileOf(report, 'record.json').problems.length),
    )
    expect(fileOf(report, LOG).problems).toEqual(['It belongs to the record beside it, which is not verified.'])
  })
})

describe('a participant who does not agree', () => {
  const REASON = 'The screen was not read aloud.'
  const disagreeing = (who: string): Parameters<Room['run']>[1] => ({
    ports: (ports) => ({
      ...ports,
      desk: {
        ...ports.desk,
        agrees: async (id) => (id === who ? { agrees: false, reason: REASON } : { agrees: true }),
      },
    }),
  })

  test('is told with the reason, and the record is verified all the same: exit 0', async () => {
    const own = genesis.room()
    const { result } = await own.run({ kind: 'onboard', tenants: [tenantPlan('acme')] }, disagreeing('emmy'))
    const report = await verify(result.recordFolder)
    expect(report.files.filter((file) => !file.ok)).toEqual([])
    const found = fileOf(report, 'record.json')
    expect(found.standing).toBe('verified')
    expect(found.remarks).toEqual([`Emmy Noether does not agree: ${REASON}`])
    expect(found.facts.join()).toMatch(/Signed by 4 of 4 people, one of whom does not agree, digest/)
    const page = readFileSync(join(result.recordFolder, 'record.html'), 'utf8')
    expect(page).toContain('<b><bdi>Emmy Noether</bdi></b> does not agree with this record.')
    expect(page).toContain(REASON)
    const out = execFileSync(process.execPath, [MAIN, 'verify', own.records, '--trust-anchor', anchor], {
      encoding: 'utf8',
    })
    expect(out).toContain(`Emmy Noether does not agree: ${REASON}`)
  })

  test('the reason stands under the signature: another one is refused', async () => {
    const own = genesis.room()
    const { result } = await own.run({ kind: 'onboard', tenants: [tenantPlan('acme')] }, disagreeing('emmy'))
    const file = recordIn(result.recordFolder)
    const [head = '', , tail = ''] = (file.signatures['emmy'] ?? '').split('.')
    const said = Buffer.from(canonicalText({ agrees: true, at: own.clock.now(), of: recordDigest(file.record) }))
    file.signatures['emmy'] = `${head}.${said.toString('base64url')}.${tail}`
    writeFileSync(join(result.recordFolder, 'record.json'), canonicalText(file))
    expect(fileOf(await verify(result.recordFolder), 'record.json').problems.join()).toContain('does not verify')
  })
})
