import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { failure, type Genesis, makeGenesis, type Room, tenantPlan } from './fixtures.ts'

/** What one person who can open the file could write about copies by themselves: each is found when the vault is opened. */

let genesis: Genesis
let room: Room
beforeAll(async () => {
  genesis = await makeGenesis()
  room = genesis.room()
  await room.onboard(tenantPlan('acme'))
  await room.run({ kind: 'backup', holder: 'Grace Hopper', place: 'Safe 2' })
})
afterAll(() => genesis.remove())

const head = digest('anything')
const started = (kind: 'backup' | 'restore' | 'inventory' | 'destroy', ceremony: string): VaultEvent => ({
  type: 'ceremony-started',
  ceremony,
  kind,
  planDigest: digest(`{"kind":"${kind}"}`),
  plan: `{"kind":"${kind}"}`,
  present: ['grace'],
  clock: null,
  headCard: null,
})

const FORGED: [string, VaultEvent[]][] = [
  [
    'a backup that nobody approved',
    [
      started('backup', 'B-2026-004'),
      { type: 'backup-intended', number: 2, holder: 'x', place: 'y', replaces: [1], seq: 3, head },
      { type: 'backup-made', number: 2, folder: 'backup-2', files: {} },
    ],
  ],
  [
    'that a quorum opened a copy',
    [started('backup', 'B-2026-004'), { type: 'backup-opened', number: 1, seq: 3, head }],
  ],
  [
    'that the vault was restored, so that unknown receipts are taken',
    [
      started('restore', 'S-2026-004'),
      { type: 'vault-restored', backup: 9, reason: 'x', seq: 3, head, seen: 3, dead: [], elsewhere: [] },
    ],
  ],
  [
    'that no key opened from a copy',
    [started('destroy', 'D-2026-004'), { type: 'restore-tried', folders: ['b'], kids: [], trials: [] }],
  ],
]

describe('a lone insider writes', () => {
  it.each(FORGED)('%s: the history is broken, and the event is named', async (_, events) => {
    const at = room.copy(genesis.folder())
    await at.withVault((vault) => vault.commit(events, at.clock.now(), 'grace'))
    const error = await failure(at.state())
    expect(error.code).toBe('vault-history-broken')
    expect(error.message).toContain('no quorum approved it')
  })

  it('an inventory with a statement that the root did not sign: refused as well', async () => {
    const at = room.copy(genesis.folder())
    const forged: VaultEvent = { type: 'inventory-taken', inventory: 'V-2026-004-V1', statement: 'e30.e30.e30' }
    await at.withVault((vault) => vault.commit([started('inventory', 'V-2026-004'), forged], at.clock.now(), 'grace'))
    expect((await failure(at.state())).exit).toBe(3)
  })

  it('other keys than those that were confirmed: the keys of a destruction are chosen once', async () => {
    const at = room.copy(genesis.folder())
    const chosen: VaultEvent = { type: 'keys-chosen', ceremony: 'D-2026-004', kids: [head] }
    const before = at.content()
    const work = at.withVault((vault) =>
      vault.commit([started('destroy', 'D-2026-004'), chosen, chosen], at.clock.now(), 'grace'),
    )
    expect((await failure(work)).message).toContain('chosen once')
    expect(at.content()).toEqual(before)
  })
})
