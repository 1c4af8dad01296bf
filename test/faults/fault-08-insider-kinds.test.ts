import { cpSync, readdirSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { resumeCeremony } from '../../electron/ceremony/runner.ts'
import type { EncryptedDatabase } from '../../electron/sqlite/database.ts'
import { append, chain } from '../../electron/vault/log.ts'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { failure, type Genesis, makeGenesis, PEOPLE, type Room, tenantPlan } from '../ceremony/fixtures.ts'

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

const started = (kind: string, ceremony: string, plan: object = { kind }): VaultEvent =>
  ({
    type: 'ceremony-started',
    ceremony,
    kind,
    planDigest: digest(JSON.stringify(plan)),
    plan: JSON.stringify(plan),
    present: ['grace'],
    clock: null,
    headCard: null,
  }) as VaultEvent

describe('probe', () => {
  it('T1 older copy deletes newer shares', async () => {
    const medium = (people: readonly object[]) => people.map((p: any) => (p.id === 'clara' ? { ...p, share: 'medium' } : { ...p }))
    const everyone = PEOPLE.map(({ id }) => id)
    const old = room.copy(genesis.folder())
    await room.run({ kind: 'custody', reason: 'Media for all', threshold: 2, people: medium(PEOPLE) }, { present: everyone })
    console.log('shares after custody', readdirSync(room.shares))
    cpSync(room.shares, old.shares, { recursive: true })
    const work = await old.run({ kind: 'inventory' }).catch((e) => e)
    console.log('inventory in old copy', work.code ?? 'ok', readdirSync(old.shares))
  })

  it('TB backup after passphrase', async () => {
    room.secrets.set('new-passphrase-emmy', 'canary new passphrase of emmy 55 zebra')
    room.secrets.set('new passphrase-emmy', 'canary new passphrase of emmy 55 zebra')
    const p = await room.run({ kind: 'passphrase', person: 'emmy' }, { present: ['emmy'] }).catch((e) => e)
    console.log('passphrase', p.code, p.message)
    const b = await room
      .run({ kind: 'backup', holder: 'Grace', place: 'Safe' }, { acceptTail: true, present: ['ada', 'blaise', 'grace'] })
      .catch((e) => e)
    console.log('backup', b.code ?? 'ok', b.message)
  })

  const openAnd = async (name: string, events: VaultEvent[], actor: string | null = 'grace') => {
    const r = await room
      .withVault((vault) => vault.commit(events, room.clock.now(), actor), ['grace'])
      .then(() => 'committed')
      .catch((e) => `commit refused: ${e.message}`)
    const o = await room.state().then(() => 'OPENS').catch((e) => `open refused: ${e.message}`)
    const v = await room.verify().then(() => 'VERIFIES').catch((e) => `verify refused: ${e.message}`)
    const q = await room.run({ kind: 'inventory' }, { acceptTail: true }).then(() => 'CEREMONY OK').catch((e) => `ceremony: ${e.code} ${e.message}`)
    console.log(`${name}:\n  ${r}\n  ${o}\n  ${v}\n  ${q}`)
  }
  const closed = (id: string): VaultEvent => ({ type: 'ceremony-ended', ceremony: id, record: digest('x'), signOffs: {}, covers: { seq: 1, head: digest('x') } })
  const alone = started('passphrase', 'P-2026-003', { kind: 'passphrase', person: 'grace' })

  it.each<[string, VaultEvent[], (string | null)?]>([
    ['attest as keyrite, nobody signed', [alone, { type: 'copy-attested', kids: [kid], copy: 'medium', by: 'ada', statement: 'gone' }, closed('P-2026-003')], null],
    ['attest by ada, signed grace', [alone, { type: 'copy-attested', kids: [kid], copy: 'backup:1', by: 'ada', statement: 'gone' }, closed('P-2026-003')]],
    ['attest outside ceremony', [{ type: 'copy-attested', kids: [kid], copy: 'backup:1', by: 'ada', statement: 'gone' }]],
    ['share-proved for clara', [{ type: 'share-proved', person: 'clara', epoch: 1 }]],
    ['attendance lie', [alone, { type: 'attendance', ceremony: 'P-2026-003', present: ['ada', 'blaise', 'clara'] }, closed('P-2026-003')]],
    ['quorum kind with passphrase kind end', [alone, closed('P-2026-003')]],
    ['passphrase plan for ada by grace', [started('passphrase', 'P-2026-003', { kind: 'passphrase', person: 'ada' }), closed('P-2026-003')]],
    ['clock lie', [{ ...alone, clock: { offset: 5, by: ['ada', 'ada'] }, headCard: { seq: 9, head: 'ffffffffffffffff' } } as VaultEvent, closed('P-2026-003')]],
  ])('%s', async (name, events, actor = 'grace') => {
    await openAnd(name, JSON.parse(JSON.stringify(events).replaceAll('""', `"${kid}"`)), actor)
  })

  it('file-key-changed drops shares', async () => {
    const state = await room.state()
    const people = structuredClone(state.people)
    people['ada']!.shares = {}
    const fileKey = Object.keys(people['ada']!.fileKeys)[0] ?? ''
    await openAnd('file-key-changed drops ada', [{ type: 'file-key-changed', fileKey, people }])
  })

  it('passphrase of another', async () => {
    const state = await room.state()
    await room.withVault((vault) => {
      const [first] = chain(vault.anchor.vaultId, vault.state, [{ event: started('passphrase', 'P-2026-003', { kind: 'passphrase', person: 'ada' }), at: room.clock.now(), actor: vault.present.get('grace') as any }])
      append(vault.database, [first as any], {}, () => {})
    }, ['grace'])
    await openAnd('pw of another', [{ type: 'passphrase-changed', person: 'ada', identity: state.people['ada']!.identity }])
  })
})
