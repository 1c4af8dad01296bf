import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readReceipts } from '../../electron/handoff/receipts.ts'
import { readConfig, readStorageKey, storageKeyPath } from '../../electron/issuer/config.ts'
import { verifyIssuance } from '../../electron/issuer/issuance-verify.ts'
import { Sealer } from '../../electron/issuer/sealing.ts'
import { openStores, placeOf } from '../../electron/issuer/store/open.ts'
import type { Store, Value } from '../../electron/issuer/store/store.ts'
import { DAY, HOUR } from '../../shared/domain/policy.ts'
import type { Stated } from '../../shared/formats/receipt.ts'
import { codeOf, filesIn, RUNTIME_ID, type TestRuntime, temporaryFolder } from './fixtures.ts'
import { find, IAT, serving, statedBy, two } from './revoking.ts'

/** The issuance log: exported, verified, anchored, pruned, and tampered with in every way there is. */

type Made = Awaited<ReturnType<typeof serving>>

/** Issues `tokens` tokens of a tenant in one row, at the time it is. */
async function issue(made: Made, tenant: string, tokens = 1): Promise<void> {
  const service = await find(made, tenant)
  const at = made.clock.now()
  const about = { at, clientId: 'api', audience: 'https://api', scope: 'read', kid: 'K'.repeat(43), exp: at + HOUR }
  await Promise.all(Array.from({ length: tokens }, () => service.record({ jti: crypto.randomUUID(), ...about })))
}

/** A runtime whose tenant acme has five rows, an hour apart; beta has one. */
async function logged(): Promise<Made> {
  const made = await serving([two('acme'), two('beta')])
  for (let row = 1; row <= 5; row++) {
    await issue(made, 'acme', row)
    made.clock.advance(HOUR)
  }
  await issue(made, 'beta')
  return made
}

const exported = (made: Made, span: { from?: number; until?: number } = {}, tenant = 'acme') =>
  made.runtime.issuance.export({
    tenant,
    folder: temporaryFolder(),
    from: span.from ?? null,
    until: span.until ?? null,
  })
/** The whole chain of receipts as a file. */
const receiptsOf = async ({ runtime }: Made) => (await runtime.exportReceipts(temporaryFolder(), { all: true })).path
const anchorsIn = (stated: Stated[]) => stated.filter((one) => one.type === 'issuance-log')

/** Reaches into the store of what requests write. */
async function traffic({ dir }: TestRuntime): Promise<Store> {
  const config = readConfig(dir)
  const { fileKey } = new Sealer(readStorageKey(storageKeyPath(dir, config)), config)
  const stores = await openStores(placeOf(dir, config, fileKey))
  onTestFinished(async () => {
    await stores.traffic.close()
    await stores.store.close()
  })
  return stores.traffic
}
const tamper = async (made: Made, sql: string) => void (await (await traffic(made)).change((tx) => tx.run(sql)))

describe('an exported log', () => {
  it('holds every token of the tenant and of nobody else, ends with the signed head, and verifies', async () => {
    const made = await logged()
    const file = await exported(made)
    expect(file).toMatchObject({ tenant: 'acme', first: 1, last: 5, rows: 5, tokens: 15 })
    const lines = readFileSync(file.path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines[0]).toMatchObject({ tenant: 'acme', issuer: 'https://acme.example.com', runtimeId: RUNTIME_ID })
    expect(lines.slice(1, -1).map((row) => row.tokens)).toEqual([1, 2, 3, 4, 5])
    expect(new Set(lines.slice(1, -1).flatMap((row) => row.entries.map((one: { jti: string }) => one.jti))).size).toBe(
      15,
    )
    const receipts = await receiptsOf(made)
    const verified = await verifyIssuance(file.path, { receipts, expectedKey: made.enrollment.receiptSigner.kid })
    expect(verified).toMatchObject({
      ...{ tenant: 'acme', runtimeId: RUNTIME_ID, first: 1, last: 5, rows: 5, tokens: 15, head: file.head },
      ...{ begin: IAT, end: IAT + 4 * HOUR, anchors: { matched: 1, beyond: 0 }, findings: [] },
    })
    expect(verified.receipt.seq).toBe(file.receipt)
    expect(anchorsIn(await statedBy(made))).toContainEqual({
      ...{ type: 'issuance-log', tenant: 'acme', seq: 5, head: file.head },
    })
  })

  it('of a span holds the rows of it, and is anchored at its own last row', async () => {
    const made = await logged()
    const file = await exported(made, { from: IAT + HOUR, until: IAT + 3 * HOUR })
    expect(file).toMatchObject({ first: 2, last: 3, rows: 2, tokens: 5 })
    const verified = await verifyIssuance(file.path, { receipts: await receiptsOf(made) })
    expect(verified).toMatchObject({ first: 2, last: 3, findings: [] })
    // The receipts were exported later, and state the newest row too.
    expect(verified.anchors).toEqual({ matched: 1, beyond: 1 })
  })

  it('twice needs one receipt; after more tokens another', async () => {
    const made = await logged()
    const first = await exported(made)
    expect((await exported(made)).receipt).toBe(first.receipt)
    await issue(made, 'acme')
    expect((await exported(made)).receipt).toBeGreaterThan(first.receipt)
  })

  it('of nobody, of a time without tokens, or over a file that is there, is refused', async () => {
    const made = await logged()
    expect(await codeOf(() => exported(made, {}, 'nobody'))).toBe('tenant-unknown')
    expect(await codeOf(() => exported(made, { from: IAT + DAY }))).toBe('usage-invalid')
    expect(await codeOf(() => exported(made, { until: IAT }))).toBe('usage-invalid')
    const folder = temporaryFolder()
    const again = () => made.runtime.issuance.export({ tenant: 'acme', folder, from: null, until: null })
    await again()
    expect(await codeOf(again)).toBe('file-exists')
    expect(filesIn(folder)).toHaveLength(1)
  })

  it('in pages: more rows than one page, each in its place', async () => {
    const made = await serving([two('acme')])
    for (let row = 0; row < 230; row++) await issue(made, 'acme')
    const file = await exported(made)
    expect(file).toMatchObject({ first: 1, last: 230, rows: 230 })
    expect((await verifyIssuance(file.path)).findings).toEqual([])
  })
})

type Row = Record<string, Value>
const COLUMNS = 'tenant, seq, prev, entries, tokens, at'

const TAMPERED: [what: string, sql: string][] = [
  ['its tenant', "UPDATE issuance SET tenant = 'beta' WHERE tenant = 'acme' AND seq = 3"],
  ['its number', "UPDATE issuance SET seq = 30 WHERE tenant = 'acme' AND seq = 3"],
  ['its place', "UPDATE issuance SET seq = 7 - seq WHERE tenant = 'acme' AND seq IN (3, 4)"],
  [
    'what it follows',
    "UPDATE issuance SET prev = (SELECT digest FROM issuance_heads WHERE tenant = 'beta') WHERE tenant = 'acme' AND seq = 3",
  ],
  [
    'what the first one follows',
    "UPDATE issuance SET prev = (SELECT digest FROM issuance_heads WHERE tenant = 'beta') WHERE tenant = 'acme' AND seq = 1",
  ],
  ['its tokens', `UPDATE issuance SET entries = replace(entries, '"api"', '"bot"') WHERE tenant = 'acme' AND seq = 3`],
  [
    'the tokens of the last one',
    `UPDATE issuance SET entries = replace(entries, '"api"', '"bot"') WHERE tenant = 'acme' AND seq = 5`,
  ],
  ['its count', "UPDATE issuance SET tokens = tokens - 1 WHERE tenant = 'acme' AND seq = 3"],
  ['its time', "UPDATE issuance SET at = at + 1 WHERE tenant = 'acme' AND seq = 3"],
  ['that it is there', "DELETE FROM issuance WHERE tenant = 'acme' AND seq = 3"],
  ['that the last one is there', "DELETE FROM issuance WHERE tenant = 'acme' AND seq = 5"],
  [
    'the head',
    "UPDATE issuance_heads SET digest = (SELECT prev FROM issuance WHERE tenant = 'acme' AND seq = 3) WHERE tenant = 'acme'",
  ],
  ['what a token is', "UPDATE issuance SET entries = '{' WHERE tenant = 'acme' AND seq = 1"],
]

describe('a row that was changed in the store', () => {
  it('stops the export, whatever was changed, and no file is left', async () => {
    const made = await logged()
    const store = await traffic(made)
    const rows = await store.all<Row>(`SELECT ${COLUMNS} FROM issuance`)
    const heads = await store.all<Row>('SELECT tenant, seq, digest FROM issuance_heads')
    // Whoever can write the store can take away what keeps its rows apart.
    await store.change((tx) => tx.run('DROP INDEX issuance_seq'))
    const found: Record<string, unknown> = {}
    for (const [what, sql] of TAMPERED) {
      await store.change((tx) => tx.run(sql))
      const folder = temporaryFolder()
      const work = () => made.runtime.issuance.export({ tenant: 'acme', folder, from: null, until: null })
      found[what] = [await codeOf(work), filesIn(folder)]
      await store.change(async (tx) => {
        await tx.run('DELETE FROM issuance')
        await tx.run('DELETE FROM issuance_heads')
        await tx.insert(
          `INSERT INTO issuance (${COLUMNS}) VALUES`,
          rows.map((row) => Object.values(row)),
        )
        await tx.insert(
          'INSERT INTO issuance_heads (tenant, seq, digest) VALUES',
          heads.map((head) => Object.values(head)),
        )
      })
    }
    expect(found).toEqual(Object.fromEntries(TAMPERED.map(([what]) => [what, ['store-damaged', []]])))
    expect(anchorsIn(await statedBy(made))).toHaveLength(2)
    expect((await exported(made)).rows).toBe(5)
  })

  it('with all that follows it, and the head, still differs from the last receipt about it', async () => {
    const made = await logged()
    await exported(made)
    await rewrite(await traffic(made), 'acme')
    expect(await codeOf(() => exported(made))).toBe('store-damaged')
  })

  it('before anything was anchored, by a host in wrong hands, shows nowhere; the receipts of another time show it', async () => {
    const made = await logged()
    const before = await exported(made)
    const receipts = await receiptsOf(made)
    const store = await traffic(made)
    await rewrite(store, 'acme')
    const { readable } = await forget(made)
    const after = await exported(made)
    expect((await verifyIssuance(after.path)).findings).toEqual([])
    const compared = await verifyIssuance(after.path, { receipts })
    expect(compared.findings).toContainEqual(expect.stringMatching(/Receipt \d+ states another row 5/))
    expect(before.head).not.toBe(after.head)
    expect(readable).toBe(true)
  })
})

/** Writes the whole log of a tenant anew with another client, chained as it should be: what a host can do. */
async function rewrite(store: Store, tenant: string): Promise<void> {
  const { issuanceDigest, NO_ROW } = await import('../../electron/issuer/traffic.ts')
  const rows = await store.all<{ seq: number; entries: string }>(
    'SELECT seq, entries FROM issuance WHERE tenant = ? ORDER BY seq',
    tenant,
  )
  let prev = NO_ROW
  await store.change(async (tx) => {
    for (const { seq, entries } of rows) {
      const other = entries.replaceAll('"api"', '"bot"')
      await tx.run('UPDATE issuance SET prev = ?, entries = ? WHERE tenant = ? AND seq = ?', prev, other, tenant, seq)
      prev = issuanceDigest(tenant, seq, prev, other)
    }
    await tx.run('UPDATE issuance_heads SET digest = ? WHERE tenant = ?', prev, tenant)
  })
}

/** Takes away what the runtime remembers of its anchors. */
async function forget({ dir }: TestRuntime): Promise<{ readable: boolean }> {
  const config = readConfig(dir)
  const { fileKey } = new Sealer(readStorageKey(storageKeyPath(dir, config)), config)
  const stores = await openStores(placeOf(dir, config, fileKey))
  const gone = await stores.store.change((tx) => tx.run("DELETE FROM meta WHERE name LIKE 'issuance %'"))
  await stores.traffic.close()
  await stores.store.close()
  return { readable: gone > 0 }
}

/** The lines of one exported log, made once: what follows only changes the file. */
let known: string[] | null = null
async function linesOfLog(): Promise<string[]> {
  known ??= readFileSync((await exported(await logged())).path, 'utf8')
    .trimEnd()
    .split('\n')
  return known
}

type Edit = (lines: string[]) => string[]
const replaced =
  (at: number, from: string | RegExp, to: string): Edit =>
  (lines) =>
    lines.with(at, lines[at]?.replace(from, to) ?? '')

async function edited(edit: Edit): Promise<string> {
  const path = join(temporaryFolder(), 'log.jsonl')
  writeFileSync(path, `${edit(await linesOfLog()).join('\n')}\n`)
  return path
}

describe('a file that was changed', () => {
  it.each<[string, Edit, RegExp]>([
    ['a row taken out', (lines) => lines.toSpliced(3, 1), /Row 3 is missing/],
    ['two rows exchanged', (lines) => lines.with(2, lines[3] ?? '').with(3, lines[2] ?? ''), /does not follow/],
    ['another client', replaced(2, '"api"', '"bot"'), /Row 3 does not follow/],
    ['another count', replaced(2, '"tokens":2', '"tokens":1'), /says 1 tokens/],
    ['another time of a row', replaced(2, /"at":(\d+),"tokens"/, '"at":7,"tokens"'), /another time/],
    ['the last row', replaced(5, '"api"', '"bot"'), /names another row/],
    ['another tenant', replaced(0, '"tenant":"acme"', '"tenant":"beta"'), /not about this log/],
    ['another start', replaced(0, '"first":1', '"first":2'), /Row 2 is missing/],
    ['other totals', replaced(6, '"rows":5', '"rows":4'), /says 4 rows/],
  ])('(%s) is found', async (_what, edit, finding) => {
    expect((await verifyIssuance(await edited(edit))).findings.join('\n')).toMatch(finding)
  })

  it.each<[string, Edit, string]>([
    ['cut off', (lines) => lines.slice(0, -1), 'format-invalid'],
    ['with something after its end', (lines) => [...lines, lines[1] ?? ''], 'format-invalid'],
    ['with no row', (lines) => lines.toSpliced(1, 5), 'format-invalid'],
    ['signed by nobody', replaced(6, /"receipt":"[^"]{20}/, '"receipt":"AAAA'), 'jose-refused'],
    ['with a member of its own', replaced(1, '{', '{"more":1,'), 'format-invalid'],
    ['with a member twice', replaced(1, '{', '{"seq":1,'), 'json-invalid'],
  ])('%s is refused', async (_what, edit, code) => {
    const path = await edited(edit)
    expect(await codeOf(() => verifyIssuance(path))).toBe(code)
  })

  it('not at all holds', async () => {
    expect((await verifyIssuance(await edited((lines) => lines))).findings).toEqual([])
  })

  it('of another runtime, or against its receipts or its enrollment, does not hold', async () => {
    const [one, other] = [await logged(), await logged()]
    const { path } = await exported(one)
    const expectedKey = other.enrollment.receiptSigner.kid
    expect((await verifyIssuance(path, { expectedKey })).findings[0]).toMatch(/another receipt key/)
    expect(await codeOf(async () => verifyIssuance(path, { receipts: await receiptsOf(other) }))).toBe(
      'signature-invalid',
    )
  })

  it('that ends earlier than a receipt says it once went is cut, unless only a span was asked for', async () => {
    const made = await logged()
    const span = await exported(made, { until: IAT + 3 * HOUR })
    const whole = await exported(made)
    const receipts = await receiptsOf(made)
    expect((await verifyIssuance(span.path, { receipts })).findings).toEqual([])
    await tamper(made, "DELETE FROM issuance WHERE tenant = 'acme' AND seq > 3")
    await tamper(made, `UPDATE issuance_heads SET seq = 3, digest = '${span.head}' WHERE tenant = 'acme'`)
    made.clock.advance(1)
    const cut = await exported(made)
    expect([whole.last, cut.last]).toEqual([5, 3])
    expect((await verifyIssuance(cut.path, { receipts: await receiptsOf(made) })).findings).toContainEqual(
      expect.stringMatching(/states a row 5, which this log had no more/),
    )
  })
})

describe('anchors', () => {
  it('go with the receipts, for tenants whose log grew, at most once a day each; the vault reads them', async () => {
    const made = await logged()
    const { path } = await made.runtime.exportReceipts(temporaryFolder(), { all: true })
    const expected = { signer: made.enrollment.receiptSigner, runtimeId: RUNTIME_ID, after: null, practice: false }
    const read = await readReceipts(path, expected)
    const anchors = () => statedBy(made).then((stated) => anchorsIn(stated).map((one) => 'seq' in one && one.seq))
    expect(anchorsIn(read.receipts.map(({ stated }) => stated))).toHaveLength(2)
    expect(read.offered).not.toBeNull()
    await issue(made, 'acme')
    expect(await anchors()).toEqual([5, 1])
    made.clock.advance(DAY)
    expect(await anchors()).toEqual([5, 1, 6])
    made.clock.advance(DAY)
    expect(await anchors()).toEqual([5, 1, 6])
  })
})

describe('pruning', () => {
  it('takes anchored rows that are older, states it, and what stays verifies from its first row on', async () => {
    const made = await logged()
    const receiptsBefore = await receiptsOf(made)
    expect(await made.runtime.issuance.prune(IAT + 3 * HOUR, 'ops')).toMatchObject({ tenants: 1, rows: 3, tokens: 6 })
    const file = await exported(made)
    expect(file).toMatchObject({ first: 4, last: 5, rows: 2, tokens: 9 })
    expect((await verifyIssuance(file.path, { receipts: receiptsBefore })).findings).toEqual([])
    await issue(made, 'acme')
    expect(await exported(made)).toMatchObject({ first: 4, last: 6 })
    const changed = (await statedBy(made)).filter(({ type }) => type === 'config-changed')
    expect(changed).toEqual([
      {
        type: 'config-changed',
        what: expect.stringMatching(/^Issuance log pruned .*: 3 rows of 1 tenant$/),
        actor: 'ops',
      },
    ])
    expect(await made.runtime.issuance.prune(IAT + 3 * HOUR, 'ops')).toMatchObject({ rows: 0 })
    expect((await statedBy(made)).filter(({ type }) => type === 'config-changed')).toHaveLength(1)
  })

  it('leaves rows that no receipt covers, and refuses a time to come', async () => {
    const made = await logged()
    expect(await made.runtime.issuance.prune(made.clock.now(), 'ops')).toMatchObject({ rows: 0, tenants: 0 })
    await exported(made, { until: IAT + 3 * HOUR })
    expect(await made.runtime.issuance.prune(made.clock.now(), 'ops')).toMatchObject({ rows: 0 })
    await exported(made)
    await issue(made, 'acme')
    made.clock.advance(HOUR)
    expect(await made.runtime.issuance.prune(made.clock.now(), 'ops')).toMatchObject({ rows: 5 })
    expect(await exported(made)).toMatchObject({ first: 6, last: 6 })
    expect(await codeOf(() => made.runtime.issuance.prune(made.clock.now() + 1, 'ops'))).toBe('usage-invalid')
  })

  it('leaves a log that is another than the one that was anchored', async () => {
    const made = await logged()
    await exported(made)
    await rewrite(await traffic(made), 'acme')
    expect(await made.runtime.issuance.prune(made.clock.now(), 'ops')).toMatchObject({ rows: 0 })
  })
})
