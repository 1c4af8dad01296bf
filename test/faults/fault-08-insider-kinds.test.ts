import { cpSync, readdirSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { append, chain } from '../../electron/vault/log.ts'
import type { Vault } from '../../electron/vault/vault.ts'
import type { EventOf, VaultEvent } from '../../shared/domain/events.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import { failure, type Genesis, makeGenesis, PEOPLE, type Room, tenantPlan } from '../ceremony/fixtures.ts'

/**
 * Fault 8, a lone insider of the later kinds of ceremony: Grace opens the file with her own passphrase and writes events
 * that she signs herself, or that nobody signs. Whatever binds others is refused when the vault is next opened.
 */

vi.mock('../../electron/vault/kdf.ts', () => import('./harness/cheap-kdf.ts'))

let genesis: Genesis
let ready: Room
let room: Room
let kid = ''
beforeAll(async () => {
  genesis = await makeGenesis()
  ready = genesis.room()
  const { state } = await ready.onboard(tenantPlan('acme'))
  kid = [...state.keys.keys()][0] ?? ''
}, 120_000)
afterAll(() => genesis.remove())
beforeEach(() => {
  room = ready.copy(genesis.folder())
})

const ID = 'Z-2026-009'
type Started = EventOf<'ceremony-started'>
const started = (kind: Started['kind'], more: Partial<Started> = {}): Started => ({
  type: 'ceremony-started',
  ceremony: ID,
  kind,
  planDigest: digest('{}'),
  plan: '{}',
  present: ['grace'],
  clock: null,
  headCard: null,
  ...more,
})
const attested = (by: string): VaultEvent => ({
  type: 'copy-attested',
  kids: [kid],
  copy: 'medium',
  by,
  statement: 'shredded',
})
const ended: VaultEvent = {
  type: 'ceremony-ended',
  ceremony: ID,
  record: digest('x'),
  signOffs: {},
  covers: { seq: 1, head: digest('x') },
}

/** Writes rows without asking the fold, as somebody does who writes to the file itself. */
function forge(vault: Vault, events: readonly VaultEvent[], by: string | null = 'grace'): void {
  const actor = by === null ? null : (vault.present.get(by) ?? null)
  const at = room.clock.now()
  const rows = chain(
    vault.anchor.vaultId,
    vault.state,
    events.map((event) => ({ event, at, actor })),
  )
  append(vault.database, rows, {}, () => {})
}

/** The vault does not open any more, because of the forged events and for this reason. */
async function refused(events: readonly VaultEvent[], why: RegExp, by: string | null = 'grace'): Promise<void> {
  await room.withVault((vault) => forge(vault, events, by), ['grace'])
  expect(await failure(room.state())).toMatchObject({
    code: 'vault-history-broken',
    message: expect.stringMatching(why),
  })
}

describe('events that no quorum approved', () => {
  const head = digest('head')
  it.each<[string, Started['kind'], VaultEvent]>([
    ['a legal hold lifted', 'amend', { type: 'hold-lifted', hold: 'case-1', reason: 'x' }],
    ['a tenant offboarded', 'amend', { type: 'tenant-offboarded', tenant: 'acme', reason: 'x' }],
    ['a copy opened', 'backup', { type: 'backup-opened', number: 1, seq: 3, head }],
    ['a ceremony closed', 'inventory', ended],
    ['a ceremony aborted', 'inventory', { type: 'ceremony-aborted', ceremony: ID, reason: 'x' }],
    ['an export written', 'export-key', { type: 'export-written', number: 1, file: 'a', digest: head }],
  ])('%s', async (_, kind, event) => {
    const before: VaultEvent[] =
      event.type === 'hold-lifted'
        ? [started(kind), { type: 'hold-placed', hold: 'case-1', kids: [], reason: 'x' }]
        : [started(kind)]
    await refused([...before, event], /no quorum approved it/)
  })
})

describe('what needs no approval of its own is still not one person’s word', () => {
  it('an attestation in what one person does alone, or outside of any ceremony', async () => {
    await refused([started('passphrase'), attested('grace'), ended], /a ceremony that a quorum closes/)
    room = ready.copy(genesis.folder())
    await refused([attested('grace')], /a ceremony that a quorum closes/)
  })

  it('an attestation of somebody who was not there', async () => {
    await refused([started('destroy'), attested('ada')], /ada attests a copy without being there/)
  })

  it('an event that nobody signed: only the checkpoint is the software’s own', async () => {
    await refused([{ type: 'share-proved', person: 'clara', epoch: 1 }], /nobody says that they wrote it/, null)
  })

  it('who was there, and who confirmed the time', async () => {
    const lies: [Started, RegExp][] = [
      [started('inventory', { present: ['ada', 'blaise'] }), /grace begins a ceremony without being there/],
      [started('passphrase', { present: ['grace', 'ada'] }), /alone has others present/],
      [started('inventory', { clock: { offset: 9, by: ['grace', 'grace'] } }), /two people who were there/],
      [started('inventory', { clock: { offset: 9, by: ['grace', 'clara'] } }), /two people who were there/],
    ]
    for (const [lie, why] of lies) {
      room = ready.copy(genesis.folder())
      await refused([lie], why)
    }
  })

  it.each<[string, (people: EventOf<'file-key-changed'>['people']) => void]>([
    ['without somebody’s share', (people) => Object.assign(people.ada ?? {}, { shares: {} })],
    ['with somebody’s keys under another passphrase', (people) => Object.assign(people.ada ?? {}, { identity: kid })],
    ['without a person', (people) => void delete people.ada],
  ])('a new file key %s', async (_, change) => {
    const people = structuredClone((await room.state()).people)
    change(people)
    await refused([{ type: 'file-key-changed', fileKey: digest('x'), people }], /more than the access/)
  })

  it('the passphrase of another person', async () => {
    const changed: VaultEvent = { type: 'passphrase-changed', person: 'ada', identity: kid }
    await refused([started('passphrase'), changed], /grace changes the passphrase of ada/)
  })
})

it('the approval to abort a ceremony covers the keys that it made, and no other key', async () => {
  const act = { ceremony: ID, planDigest: digest('{}'), step: 'abort' }
  const objects = digest(canonicalText({ abort: ID }))
  await room.withVault(async (vault) => {
    forge(vault, [started('inventory')])
  })
  const approvals = await room.withVault((vault) => vault.approve({ ...act, objects }))
  const approved: VaultEvent = { type: 'approved', ceremony: ID, step: 'abort', objects, approvals }
  await refused([approved, { type: 'keys-destroyed', kids: [kid], reason: 'x', marks: {} }], /no quorum approved it/)
})

it('an older copy of a vault, opened for a ceremony, leaves share files of an epoch that it does not know alone', async () => {
  const older = room.copy(genesis.folder())
  const people = PEOPLE.map((person) => ({ ...person, ...(person.id === 'clara' && { share: 'medium' }) }))
  const plan = { kind: 'custody', reason: 'Her share goes with her', threshold: 2, people }
  await room.run(plan, { present: PEOPLE.map(({ id }) => id) })
  cpSync(room.shares, older.shares, { recursive: true })
  await older.run({ kind: 'inventory' })
  expect(readdirSync(older.shares)).toEqual(readdirSync(room.shares))
  expect(readdirSync(older.shares)).toHaveLength(1)
  await room.run({ kind: 'inventory' }, { present: ['ada', 'clara', 'emmy', 'grace'] })
})

it('a backup right after a changed passphrase: the copy ends with the accepted tail, and the quorum opens it', async () => {
  room.secrets.set('new-passphrase-emmy', 'another canary passphrase of emmy 7194')
  await room.run({ kind: 'passphrase', person: 'emmy' }, { present: ['emmy'] })
  const backup = { kind: 'backup', holder: 'Grace Hopper', place: 'Safe 2' }
  const { state } = await room.run(backup, { acceptTail: true, present: ['ada', 'blaise', 'grace'] })
  expect(state.backups.get(1)?.openedAt).not.toBeNull()
  expect((await room.verify()).tail).toBeNull()
})
