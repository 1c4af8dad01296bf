import { generateKeyPairSync, sign } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EncryptedDatabase } from '../../electron/sqlite/database.ts'
import { type EventRow, readRows } from '../../electron/vault/log.ts'
import { ed25519Public, fileKeyId, p256Public, sealFileKey, statementSigner } from '../../electron/vault/people.ts'
import { readPeople, writePeople } from '../../electron/vault/people-store.ts'
import { Vault } from '../../electron/vault/vault.ts'
import { headOf, verifyVault } from '../../electron/vault/verify.ts'
import type { EventOf, VaultEvent } from '../../shared/domain/events.ts'
import { DEFAULT_POLICY } from '../../shared/domain/policy.ts'
import type { Code } from '../../shared/errors.ts'
import { digest, fromBase64url, fromUtf8, utf8 } from '../../shared/formats/bytes.ts'
import { signCheckpoint } from '../../shared/formats/checkpoint.ts'
import { CHAIN_START, encodeEvent, eventHash, eventSigningInput, parseEvent } from '../../shared/formats/event.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { canonicalText, parseJson } from '../../shared/formats/json.ts'
import { type PeopleFile, personDigests } from '../../shared/formats/people-file.ts'
import { openRoster, type Roster, signRoster } from '../../shared/formats/roster.ts'
import { signTrustAnchor, trustAnchorSchema } from '../../shared/formats/trust-anchor.ts'
import {
  actOf,
  addKey,
  CEREMONY,
  CREATED,
  checkpoint,
  makePractice,
  newEpoch,
  type Practice,
  rsaShaped,
  withEntry,
} from '../vault/practice.ts'

/**
 * Fault 8: event deleted, edited, reordered, tail cut; chain recomputed by a lone insider; a person's public key swapped
 * in people.json [named; checkpoint and roster signatures refuse]. The insider here is Emmy, who may view, hence holds the
 * file key, and has her own signing key, but no share.
 */

let practice: Practice
/** A second vault: the practice vault one epoch and one checkpoint later. */
let later: string
const LATER = CREATED + 3600

beforeAll(async () => {
  practice = await makePractice()
  later = practice.copy()
  const vault = await Vault.openFor(later, practice.present)
  await newEpoch(vault, LATER)
  await checkpoint(vault, LATER)
  vault.close()
})
afterAll(() => practice.remove())

const insider = () => {
  const person = practice.present.get('emmy')
  if (!person) throw new Error('Emmy is not here')
  return person
}

/** Does to the encrypted file what anybody can do who holds the file key. */
async function tamper(folder: string, change: (db: EncryptedDatabase, vault: Vault) => void): Promise<void> {
  const vault = await Vault.openFor(folder, practice.only('emmy'))
  change(vault.database, vault)
  vault.close()
}

const rowsOf = (db: EncryptedDatabase): EventRow[] => [...readRows(db)]

/** Replaces the whole log; unless `raw`, with every link computed anew, and Emmy's own events signed by her. */
function rewrite(db: EncryptedDatabase, vaultId: string, rows: readonly EventRow[], { raw = false } = {}): void {
  db.exec('DELETE FROM events')
  const insert = db.prepare('INSERT INTO events VALUES (@seq, @at, @actor, @type, @body, @prev, @hash, @signature)')
  let prev = CHAIN_START
  let seq = 0
  for (const row of rows) {
    if (raw) {
      insert.run(row)
      continue
    }
    const link = { ...row, seq: ++seq, prev }
    prev = eventHash(vaultId, link)
    const own = sign(null, utf8(eventSigningInput(prev)), insider().signingKey).toString('base64url')
    insert.run({ ...link, hash: prev, signature: row.actor === 'emmy' ? own : row.signature })
  }
}

/** A row that Emmy adds at the end. */
const rowBy = (actor: string, event: Parameters<typeof encodeEvent>[0], at = LATER): EventRow => ({
  seq: 0,
  at,
  actor,
  type: event.type,
  body: encodeEvent(event),
  prev: '',
  hash: '',
  signature: null,
})
const deviation = (happened: string) =>
  ({ type: 'deviation', ceremony: CEREMONY, expected: 'nothing', happened, action: 'noted' }) as const

const allFiles = (folder: string) => readdirSync(folder).map((name) => [name, digest(readFileSync(join(folder, name)))])

/** The vault does not open, with this code and message, and trying changes nothing. */
async function refuses(folder: string, code: Code, message: RegExp): Promise<void> {
  const before = allFiles(folder)
  await expect(Vault.openFor(folder, practice.present)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  })
  expect(allFiles(folder)).toEqual(before)
}

/** The vault opens and shows a tail; no quorum act is possible. */
async function showsTail(folder: string, tail: { from: number; to: number }): Promise<void> {
  const vault = await Vault.openFor(folder, practice.present)
  try {
    expect(vault.tail).toEqual(tail)
    const act = actOf('export')
    const approvals = await vault.approve(act)
    await expect(vault.withQuorum(act, approvals, async () => 1)).rejects.toMatchObject({ code: 'vault-tail' })
  } finally {
    vault.close()
  }
}

/** It opens, but the full verification refuses. */
async function verifyRefuses(folder: string, message: RegExp): Promise<void> {
  const vault = await Vault.openFor(folder, practice.only('clara'))
  try {
    await expect(verifyVault(vault)).rejects.toMatchObject({
      code: 'vault-history-broken',
      message: expect.stringMatching(message),
    })
  } finally {
    vault.close()
  }
}

const bodyOf = <T>(row: EventRow | undefined): T => parseEvent(row?.body ?? '') as T

describe('the log, changed without computing the chain anew', () => {
  const edited = (at: number, change: Partial<EventRow>) => (rows: EventRow[]) =>
    rows.map((row) => (row.seq === at ? { ...row, ...change } : row))

  it.each<[string, (rows: EventRow[]) => EventRow[], RegExp]>([
    ['an event in the middle deleted', (rows) => rows.filter((row) => row.seq !== 4), /Event 4 /],
    ['the first event deleted', (rows) => rows.slice(1), /Event 1 /],
    [
      'a body edited',
      edited(8, {
        body: encodeEvent({ type: 'step-done', ceremony: CEREMONY, step: 'make-keys', observed: 'Three.' }),
      }),
      /Event 8 /,
    ],
    ['a body of one more space', (rows) => edited(8, { body: `${rows[7]?.body} ` })(rows), /Event 8 /],
    ['a time edited', edited(3, { at: CREATED }), /Event 3 /],
    ['an actor edited', edited(3, { actor: 'ada' }), /Event 3 /],
    ['a link edited', edited(5, { hash: digest('x') }), /Event 5 /],
    ['a previous link edited', edited(5, { prev: digest('x') }), /Event 5 /],
    ['a type edited', edited(8, { type: 'deviation' }), /Event 8 .*type/],
    ['a body that is no JSON', edited(8, { body: '{' }), /Event 8 /],
    [
      'two events reordered',
      (rows) => rows.map((row) => (row.seq === 7 ? { ...row, seq: 8 } : row.seq === 8 ? { ...row, seq: 7 } : row)),
      /Event 7 /,
    ],
    ['an event doubled', (rows) => [...rows, { ...(rows[8] as EventRow), seq: 10 }], /Event 10 /],
    ['a gap in the numbers', (rows) => rows.map((row) => (row.seq === 9 ? { ...row, seq: 11 } : row)), /Event 9 /],
    ['no event left', () => [], /different roots/],
  ])('vault-history-broken, naming the event: %s', async (_what, change, message) => {
    const folder = practice.copy()
    await tamper(folder, (db, vault) => rewrite(db, vault.anchor.vaultId, change(rowsOf(db)), { raw: true }))
    await refuses(folder, 'vault-history-broken', message)
  })

  it.each([
    ['exchanged for another', (rows: EventRow[]) => rows[1]?.signature ?? null],
    ['removed', () => null],
    ['no base64url', () => 'not a signature!'],
  ])("a person's signature %s: verifyVault names the event and the person", async (_what, signature) => {
    const folder = practice.copy()
    await tamper(folder, (db) => db.prepare('UPDATE events SET signature = ? WHERE seq = 3').run(signature(rowsOf(db))))
    await verifyRefuses(folder, /Event 3 .*grace did not sign it/)
  })
})

describe('the tail cut', () => {
  it('with the checkpoint: what remains is shown as a tail and nothing can be done with it', async () => {
    const folder = practice.copy()
    await tamper(folder, (db) => db.exec('DELETE FROM events WHERE seq >= 9'))
    await showsTail(folder, { from: 1, to: 8 })
  })

  it('behind an older checkpoint: the sealed rows no longer fit, and the blob is named', async () => {
    const folder = practice.copy()
    const vault = await Vault.openFor(folder, practice.present)
    const kid = await addKey(vault, 'RS256-4096', { jwk: rsaShaped(), secret: utf8('a private key') }, LATER)
    await checkpoint(vault, LATER)
    vault.close()
    await tamper(folder, (db) => db.exec('DELETE FROM events WHERE seq > 9'))
    await refuses(folder, 'vault-damaged', new RegExp(`:${kid} `))
  })

  it('exactly behind an older checkpoint, with all that came after: only the head card and receipts tell', async () => {
    const folder = practice.copy()
    const vault = await Vault.openFor(folder, practice.present)
    vault.commit([deviation('later')], LATER, 'grace')
    await vault.acceptTail(LATER, 'grace')
    await checkpoint(vault, LATER)
    const card = await headOf(vault)
    vault.close()
    await tamper(folder, (db) => db.exec('DELETE FROM events WHERE seq > 9'))
    const cut = await Vault.openFor(folder, practice.only('emmy'))
    const found = await headOf(cut)
    expect(found.seq).toBeLessThan(card.seq)
    expect(found.signed?.seq).toBeLessThan(card.signed?.seq ?? 0)
    expect(found.signed?.head).not.toBe(card.signed?.head)
    cut.close()
  })
})

describe('the whole chain computed anew by a lone insider who holds the file key', () => {
  const insideJob = async (folder: string, change: (rows: EventRow[]) => EventRow[]) =>
    tamper(folder, (db, vault) => rewrite(db, vault.anchor.vaultId, change(rowsOf(db))))
  const otherStory = (rows: EventRow[]) =>
    rows.map((row) => (row.seq === 8 ? { ...row, body: row.body.replace('Two keys', 'Three keys') } : row))

  it('an event edited: the checkpoint refuses', async () => {
    const folder = practice.copy()
    await insideJob(folder, otherStory)
    await refuses(folder, 'vault-history-broken', /event 8 .*root signed at event 9/)
  })

  it.each<[string, (rows: EventRow[]) => EventRow[]]>([
    ['deleted', (rows) => rows.filter((row) => row.seq !== 8)],
    ['inserted', (rows) => [...rows.slice(0, 8), rowBy('emmy', deviation('new'), CREATED + 60), ...rows.slice(8)]],
  ])('an event %s: the checkpoint refuses', async (_what, change) => {
    const folder = practice.copy()
    await insideJob(folder, change)
    await refuses(folder, 'vault-history-broken', /root signed/)
  })

  it('the checkpoint dropped: everything is tail, and verifyVault names the first event that its person did not sign', async () => {
    const folder = practice.copy()
    await insideJob(folder, (rows) => otherStory(rows).slice(0, 8))
    await showsTail(folder, { from: 1, to: 8 })
    await verifyRefuses(folder, /Event 8 .*grace did not sign it/)
  })

  it('the checkpoint replaced by one of her own: the root did not sign it', async () => {
    const folder = practice.copy()
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const key = statementSigner('x', privateKey)
    let vaultId = ''
    await tamper(folder, (_db, vault) => {
      vaultId = vault.anchor.vaultId
    })
    const claims = { vaultId, seq: 8, head: digest('x'), roster: digest('x'), sealed: digest('x'), iat: LATER }
    const statement = await signCheckpoint(claims, true, key)
    await insideJob(folder, (rows) => [
      ...otherStory(rows).slice(0, 8),
      rowBy('keyrite', { type: 'checkpoint', statement }),
    ])
    await refuses(folder, 'vault-history-broken', /root did not sign the checkpoint at event 9/)
  })

  it('the old checkpoint repeated after events of her own: it does not fit', async () => {
    const folder = practice.copy()
    await insideJob(folder, (rows) => [
      ...rows,
      rowBy('emmy', deviation('hidden')),
      rowBy('keyrite', bodyOf<EventOf<'checkpoint'>>(rows[8])),
    ])
    await refuses(folder, 'vault-history-broken', /root signed at event 11/)
  })

  it('an older checkpoint broken, the newest whole: impossible to keep, the newest refuses', async () => {
    const folder = practice.copy()
    const vault = await Vault.openFor(folder, practice.present)
    await checkpoint(vault, LATER)
    vault.close()
    await insideJob(folder, (rows) => rows.filter((row) => row.seq !== 9))
    await refuses(folder, 'vault-history-broken', /root signed/)
  })

  it('events added at the end: shown as a tail', async () => {
    const folder = practice.copy()
    await insideJob(folder, (rows) => [...rows, rowBy('emmy', deviation('added'))])
    await showsTail(folder, { from: 10, to: 10 })
  })

  it("events added in another person's name: verifyVault names them", async () => {
    const folder = practice.copy()
    await insideJob(folder, (rows) => [
      ...rows,
      { ...rowBy('grace', deviation('added')), signature: rows[7]?.signature ?? null },
    ])
    await showsTail(folder, { from: 10, to: 10 })
    await verifyRefuses(folder, /Event 10 .*grace did not sign it/)
  })

  it('events added in the name of a stranger: verifyVault names them', async () => {
    const folder = practice.copy()
    await insideJob(folder, (rows) => [...rows, rowBy('mallory', deviation('added'))])
    await verifyRefuses(folder, /Event 10 .*not on the roster/)
  })

  describe('an acceptance of the tail needs the quorum: one person cannot write it', () => {
    const accepts = async (
      change: (rows: EventRow[], accepted: EventOf<'tail-accepted'>) => Partial<EventOf<'tail-accepted'>>,
    ) => {
      const folder = practice.copy()
      await insideJob(folder, (rows) => [...rows, rowBy('emmy', deviation('hidden'))])
      await tamper(folder, (db, vault) => {
        const rows = rowsOf(db)
        const base = { type: 'tail-accepted', from: 10, to: 10, head: vault.state.head, approvals: [] } as const
        const accepted: EventOf<'tail-accepted'> = { ...base, approvals: [] }
        const event = { ...accepted, ...change(rows, accepted) }
        rewrite(db, vault.anchor.vaultId, [...rows, rowBy('emmy', event)])
      })
      return folder
    }
    const borrowed = (rows: EventRow[]) => bodyOf<EventOf<'approved'>>(rows[2]).approvals

    it.each<[string, Parameters<typeof accepts>[0], RegExp]>([
      ['without approvals', () => ({}), /Event 11 accepts a tail without the approval of a quorum/],
      ['with approvals of another act', (rows) => ({ approvals: borrowed(rows) }), /Event 11 accepts a tail without/],
      ['reaching beyond itself', (rows) => ({ to: 500_000, approvals: borrowed(rows) }), /Event 11 .*another history/],
      ['of another history', () => ({ head: digest('x') }), /Event 11 .*another history/],
    ])('%s: vault-history-broken', async (_what, change, message) => {
      await refuses(await accepts(change), 'vault-history-broken', message)
    })
  })

  it('forged approvals of a quorum act are named by verifyVault', async () => {
    const folder = practice.copy()
    await insideJob(folder, (rows) => {
      const event = bodyOf<EventOf<'approved'>>(rows[2])
      return [...rows, rowBy('emmy', { ...event, objects: digest('other objects') })]
    })
    await verifyRefuses(folder, /Event 10 .*approved another act/)
  })

  it('an epoch of her own: the root did not sign that roster', async () => {
    const folder = practice.copy()
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { roster, kid, people, agreements } = await rosterOf(folder)
    const forged = await signRoster({ ...roster, epoch: 2 }, statementSigner(kid, own.privateKey))
    await insideJob(folder, (rows) => [
      ...rows,
      rowBy('emmy', { type: 'epoch-activated', epoch: 2, roster: forged, agreements, people, sealed: {} }),
    ])
    await refuses(folder, 'vault-history-broken', /no quorum approved it/)
  })

  const digestOf = digest('anything')
  const times = { announceAt: 0, signFrom: 0, signUntil: 9, extendUntil: 9, removeAt: 9, propagation: 'full' } as const
  const generator = { node: 'v24', openssl: '3', process: 'fresh' } as const
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: digestOf } as const
  const tenant = {
    tenant: 'evil',
    name: 'Evil',
    issuer: 'https://evil.example',
    policy: DEFAULT_POLICY,
    relyingParties: [],
  }
  const ALONE: [string, () => VaultEvent][] = [
    [
      'receipts with her own transport key',
      () => ({
        type: 'receipts-taken',
        runtimeId: 'eu-one',
        file: digestOf,
        upTo: 1,
        head: digestOf,
        offered: 'a.b.c',
        statements: [],
      }),
    ],
    ['a tenant', () => ({ type: 'tenant-added', ...tenant })],
    [
      'a key of her own',
      () => ({
        type: 'key-generated',
        tenant: 'acme',
        kid: digestOf,
        spec: 'Ed25519',
        jwk,
        label: 'x',
        times,
        replaces: null,
        generator,
        sealed: {},
      }),
    ],
    [
      'a compromise',
      () => ({ type: 'key-compromised', tenant: 'acme', kid: practice.kids.small, at: 1, reason: 'because' }),
    ],
    ['a destruction', () => ({ type: 'keys-destroyed', kids: [practice.kids.small], reason: 'because', marks: {} })],
    [
      'the end of a ceremony',
      () => ({
        type: 'ceremony-ended',
        ceremony: CEREMONY,
        record: digestOf,
        signOffs: {},
        covers: { seq: 1, head: digestOf },
      }),
    ],
    ['an abort', () => ({ type: 'ceremony-aborted', ceremony: CEREMONY, reason: 'because' })],
    [
      'a key that she brought along',
      () => ({
        type: 'key-imported',
        tenant: 'acme',
        kid: digestOf,
        spec: 'Ed25519',
        jwk,
        label: 'x',
        times,
        imported: { file: 'x.pem', format: 'pem', statement: 'because' },
        sealed: {},
      }),
    ],
    [
      'another policy',
      () => ({ type: 'tenant-amended', tenant: 'acme', name: 'A', policy: DEFAULT_POLICY, relyingParties: [] }),
    ],
    ['an offboarding', () => ({ type: 'tenant-offboarded', tenant: 'acme', reason: 'because' })],
    ['a legal hold', () => ({ type: 'hold-placed', hold: 'h', kids: [practice.kids.small], reason: 'because' })],
    ['an exported key', () => ({ type: 'export-written', number: 1, file: 'x', digest: digestOf })],
  ]
  it.each(ALONE)('%s, without the approval of a quorum, and with one that was never given', async (_, forged) => {
    const folder = practice.copy()
    await insideJob(folder, (rows) => [...rows, rowBy('emmy', forged())])
    await refuses(folder, 'vault-history-broken', /no quorum approved it/)
  })

  it('an approval that nobody gave, for exactly what she wants', async () => {
    const folder = practice.copy()
    const objects = digest(canonicalText({ destroy: [practice.kids.small] }))
    await insideJob(folder, (rows) => [
      ...rows,
      rowBy('emmy', { type: 'approved', ceremony: CEREMONY, step: 'destroy-bytes', objects, approvals: [] }),
      rowBy('emmy', { type: 'keys-destroyed', kids: [practice.kids.small], reason: 'because', marks: {} }),
    ])
    await refuses(folder, 'vault-history-broken', /claims the approval of a quorum/)
  })

  it('an older roster, really signed by the root, as a new epoch: it belongs to another', async () => {
    const folder = practice.copy()
    const { jws, people, agreements } = await rosterOf(folder)
    await insideJob(folder, (rows) => [
      ...rows,
      rowBy('emmy', { type: 'epoch-activated', epoch: 2, roster: jws, agreements, people, sealed: {} }),
    ])
    await refuses(folder, 'vault-history-broken', /no quorum approved it/)
  })

  it('a first roster replaced and every checkpoint dropped: opening fails with a code, it does not crash', async () => {
    const folder = copyOf(later)
    await insideJob(folder, (rows) =>
      rows
        .filter((row) => row.type !== 'checkpoint')
        .map((row) => {
          if (row.seq !== 1) return row
          const event = bodyOf<EventOf<'vault-created'>>(row)
          const [header, , signature] = event.roster.split('.')
          return { ...row, body: encodeEvent({ ...event, roster: `${header}.e30.${signature}` }) }
        }),
    )
    const unhandled: unknown[] = []
    const listen = (error: unknown) => unhandled.push(error)
    process.on('unhandledRejection', listen)
    await refuses(folder, 'vault-history-broken', /root did not sign the list of people/)
    await new Promise((resolve) => setTimeout(resolve, 20))
    process.off('unhandledRejection', listen)
    expect(unhandled).toEqual([])
  })
})

const copyOf = (folder: string): string => {
  const copy = practice.copy()
  for (const name of readdirSync(folder)) writeFileSync(join(copy, name), readFileSync(join(folder, name)))
  return copy
}

async function rosterOf(folder: string) {
  const vault = await Vault.openFor(folder, practice.only('emmy'))
  const { roster, agreements, people } = vault.state
  const { key } = vault.anchor
  vault.close()
  const opened: Roster = await openRoster(roster, key, true)
  return { jws: roster, roster: opened, kid: key.kid, agreements, people }
}

describe('people.json', () => {
  const swap = (folder: string, change: (file: PeopleFile) => PeopleFile) =>
    writePeople(folder, change(readPeople(folder)))
  const mine = () => ({
    encryption: p256Public(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey),
    signing: ed25519Public(generateKeyPairSync('ed25519').publicKey),
  })
  const shareOf = (file: PeopleFile, id: string) => file.people[id]?.shares['1'] ?? ''

  it.each<[string, RegExp, (file: PeopleFile) => PeopleFile]>([
    [
      "a person's encryption key swapped",
      /keys of ada/,
      (file) => withEntry(file, 'ada', (e) => ({ ...e, identity: { ...e.identity, encryption: mine().encryption } })),
    ],
    [
      "a person's signing key swapped",
      /keys of clara/,
      (file) => withEntry(file, 'clara', (e) => ({ ...e, identity: { ...e.identity, signing: mine().signing } })),
    ],
    [
      'one person replaced by another',
      /keys of ada/,
      (file) => withEntry(file, 'ada', (e) => ({ ...e, identity: file.people.emmy?.identity ?? e.identity })),
    ],
    [
      'a cost raised within its bounds',
      /keys of blaise/,
      (file) =>
        withEntry(file, 'blaise', (e) => ({
          ...e,
          identity: { ...e.identity, kdf: { ...e.identity.kdf, passes: 4 } },
        })),
    ],
    [
      'two shares exchanged',
      /share of ada/i,
      (file) =>
        withEntry(
          withEntry(file, 'ada', (e) => ({ ...e, shares: { 1: shareOf(file, 'clara') } })),
          'clara',
          (e) => ({ ...e, shares: { 1: shareOf(file, 'ada') } }),
        ),
    ],
    ['a share removed', /share of blaise/i, (file) => withEntry(file, 'blaise', (e) => ({ ...e, shares: {} }))],
    ['an access removed', /access of grace/i, (file) => withEntry(file, 'grace', (e) => ({ ...e, fileKeys: {} }))],
    [
      'a person removed',
      /entry of grace/i,
      (file) => {
        const { grace: _, ...people } = file.people
        return { ...file, people }
      },
    ],
    [
      'a person added',
      /entry of mallory/i,
      (file) => ({ ...file, people: { ...file.people, mallory: file.people.emmy as PeopleFile['people'][string] } }),
    ],
  ])('%s: vault-people-changed, naming the person', async (_what, message, change) => {
    const folder = practice.copy()
    swap(folder, change)
    await refuses(folder, 'vault-people-changed', message)
  })

  it('the roster replaced by one that another root signed: vault-people-changed', async () => {
    const folder = practice.copy()
    const { roster, kid } = await rosterOf(folder)
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const forged = await signRoster({ ...roster, threshold: 2 }, statementSigner(kid, own.privateKey))
    swap(folder, (file) => ({ ...file, roster: forged }))
    await refuses(folder, 'vault-people-changed', /roster/)
  })

  it('the roster of a later epoch in a vault that has not reached it: vault-people-changed', async () => {
    const folder = practice.copy()
    swap(folder, (file) => ({ ...file, roster: readPeople(later).roster }))
    await refuses(folder, 'vault-people-changed', /roster/)
  })

  it('the trust anchor replaced by one of another root: vault-history-broken', async () => {
    const folder = practice.copy()
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const root = p256Public(own.publicKey)
    const payload = fromUtf8(fromBase64url(readPeople(folder).anchor.split('.')[1] ?? ''))
    const claims = trustAnchorSchema.parse(parseJson(payload, { maxBytes: 8192 }))
    const anchor = await signTrustAnchor({ ...claims, root }, statementSigner(thumbprint(root), own.privateKey))
    swap(folder, (file) => ({ ...file, anchor }))
    await refuses(folder, 'vault-history-broken', /different roots/)
  })

  it('an older list of people put back after a new epoch: the missing share is named', async () => {
    const folder = copyOf(later)
    writePeople(folder, readPeople(practice.folder))
    await refuses(folder, 'vault-people-changed', /share of ada/i)
  })

  it("swapped together with the history's digests and the chain: the root-signed roster still names the right keys", async () => {
    const folder = practice.copy()
    const pair = { encryption: generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
    swap(folder, (file) =>
      withEntry(file, 'ada', (e) => ({
        ...e,
        identity: { ...e.identity, encryption: p256Public(pair.encryption.publicKey) },
      })),
    )
    // The history is opened with the old list first, so that it can be rewritten to fit the new one.
    const changed = readPeople(folder)
    writePeople(folder, readPeople(practice.folder))
    await tamper(folder, (db, vault) => {
      const rows = rowsOf(db)
      const ada = changed.people.ada
      if (!ada) throw new Error('Ada is gone')
      const people = { ...vault.state.people, ada: personDigests(ada) }
      const event = { ...bodyOf<EventOf<'vault-created'>>(rows[0]), people }
      const first = { ...(rows[0] as EventRow), body: encodeEvent(event) }
      rewrite(db, vault.anchor.vaultId, [first, ...rows.slice(1, 8)])
    })
    writePeople(folder, changed)
    await refuses(folder, 'vault-people-changed', /keys of ada/)
  })

  it('an item too many changes nothing: it gives no access and goes with the next tidy()', async () => {
    const folder = practice.copy()
    const before = readFileSync(join(folder, 'people.json'))
    const file = readPeople(folder)
    const key = new Uint8Array(32).fill(7)
    const { encryption } = file.people.emmy?.identity ?? mine()
    const vault = await Vault.openFor(folder, practice.only('emmy'))
    const extra = await sealFileKey(vault.anchor, 'emmy', encryption, key)
    vault.close()
    swap(folder, (now) =>
      withEntry(now, 'emmy', (e) => ({ ...e, fileKeys: { ...e.fileKeys, [fileKeyId(key)]: extra } })),
    )
    const again = await Vault.openFor(folder, practice.only('emmy'))
    again.tidy()
    again.close()
    expect(readFileSync(join(folder, 'people.json')).equals(before)).toBe(true)
  })
})

describe('sealed rows', () => {
  it.each<[string, (kid: string) => RegExp, (db: EncryptedDatabase, kid: string) => void]>([
    [
      'replaced',
      (kid) => new RegExp(`key:${kid} is not the one`),
      (db, kid) => db.prepare('UPDATE sealed SET blob = ? WHERE id = ?').run(Buffer.alloc(166, 1), `key:${kid}`),
    ],
    [
      'changed in one bit',
      (kid) => new RegExp(`wrap:${kid} is not the one`),
      (db, kid) => {
        const row = db.prepare<[string], { blob: Buffer }>('SELECT blob FROM sealed WHERE id = ?').get(`wrap:${kid}`)
        const blob = Buffer.from(row?.blob ?? [])
        blob[40] = (blob[40] ?? 0) ^ 1
        db.prepare('UPDATE sealed SET blob = ? WHERE id = ?').run(blob, `wrap:${kid}`)
      },
    ],
    [
      'removed',
      (kid) => new RegExp(`key:${kid} is missing`),
      (db, kid) => db.prepare('DELETE FROM sealed WHERE id = ?').run(`key:${kid}`),
    ],
    [
      'added',
      () => /key:planted is not the one/,
      (db) => db.prepare('INSERT INTO sealed VALUES (?, ?)').run('key:planted', Buffer.alloc(8)),
    ],
    [
      'renamed',
      () => /key:renamed is not the one/,
      (db, kid) => db.prepare('UPDATE sealed SET id = ? WHERE id = ?').run('key:renamed', `key:${kid}`),
    ],
  ])('one %s: vault-damaged, naming it', async (_what, message, change) => {
    const folder = practice.copy()
    const { small } = practice.kids
    await tamper(folder, (db) => change(db, small))
    await refuses(folder, 'vault-damaged', message(small))
  })

  it('the wraps of the old epoch put back: vault-damaged, naming one', async () => {
    const folder = copyOf(later)
    const old = await Vault.openFor(practice.copy(), practice.only('emmy'))
    const wraps = old.database
      .prepare<[], { id: string; blob: Buffer }>("SELECT id, blob FROM sealed WHERE id LIKE 'wrap:%'")
      .all()
    old.close()
    expect(wraps).toHaveLength(4)
    await tamper(folder, (db) => {
      for (const { id, blob } of wraps) db.prepare('UPDATE sealed SET blob = ? WHERE id = ?').run(blob, id)
    })
    await refuses(folder, 'vault-damaged', /wrap:/)
  })
})

it('the tampering of these tests by itself is not what is refused: an untouched rewrite opens and verifies', async () => {
  const folder = practice.copy()
  await tamper(folder, (db, vault) => rewrite(db, vault.anchor.vaultId, rowsOf(db)))
  const vault = await Vault.openFor(folder, practice.present)
  expect(vault.tail).toBeNull()
  expect((await verifyVault(vault)).events).toBe(9)
  vault.close()
})
