import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import { inventoryOf } from '../../electron/ceremony/inventory.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import { keysOf } from '../../shared/domain/state.ts'
import { type Inventory, openInventory, parseInventoryFile } from '../../shared/formats/inventory.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { filesOf, type Genesis, makeGenesis, type Ran, type Room, T0, tenantPlan } from './fixtures.ts'

/** The inventory: rows, ledger and receipts compared and signed. */

const DAY = 86_400

let genesis: Genesis
let aged: Room
let ran: Ran
let inventory: Inventory
let kid: string
beforeAll(async () => {
  genesis = await makeGenesis()
  aged = genesis.room()
  await aged.onboard(tenantPlan('acme'), tenantPlan('globex', { policy: { destroyPrivateAtRetirement: false } }))
  const live = await aged.runtime()
  await aged.handoff(live)
  await aged.intake(live)
  await live.runtime.close()
  await aged.run({ kind: 'backup', holder: 'Grace Hopper', place: 'Safe 2' })
  aged.clock.to(T0 + 120 * DAY)
  kid = keysOf(await aged.state(), 'acme')[0]?.kid ?? ''
  await aged.run({ kind: 'destroy', keys: [kid], reason: 'End of schedule' }, { confirm: [confirmationFor([kid])] })
  const [, held] = keysOf(await aged.state(), 'globex')
  await aged.run({ kind: 'amend', reason: 'Order', changes: [{ hold: 'case-7', keys: [held?.kid], reason: 'Case 7' }] })
  ran = await aged.run({ kind: 'inventory' })
  const anchor = await openTrustAnchor(ran.state.anchor)
  const file = parseInventoryFile(readFileSync(join(ran.result.recordFolder, 'inventory.json')))
  inventory = await openInventory(file.inventory, anchor.key, true)
}, 60_000)
afterAll(() => genesis.remove())

const anchorFile = (at: Room) =>
  join(at.media, filesOf(at.media).find((name) => name.startsWith('trust-anchor-')) ?? '')
const keyOf = (id: string) => inventory.keys.find((key) => key.kid === id)
const firstOf = (tenant: string) => inventory.keys.find((key) => key.tenant === tenant)

describe('inventory', () => {
  it('changes nothing but the log, and lists every key once with its NIST state and its copies, open and closed', async () => {
    expect(ran.result.steps.map(({ step }) => step)).toEqual(['check-machine', 'check-plan', 'sign-inventory'])
    expect(inventory.keys.map((key) => key.kid).sort()).toEqual([...ran.state.keys.keys()].sort())
    expect(keyOf(kid)).toMatchObject({
      state: 'destroyed',
      inVault: false,
      certificate: expect.stringMatching(/^D-2026/),
    })
    const copies = keyOf(kid)?.copies.map(({ id, status }) => [id, status])
    expect(copies).toEqual([
      ['vault', 'verified'],
      ['file:eu-one:1', 'stated'],
      ['runtime:eu-one', 'open'],
      ['backup:1', 'open'],
      ['medium', 'open'],
    ])
    expect(new Set(inventory.keys.map((key) => key.state))).toEqual(
      new Set(['destroyed', 'deactivated', 'active', 'pre-activation']),
    )
  })

  it('names private halves that are kept although retired, legal holds, and what is due', () => {
    expect(firstOf('globex')).toMatchObject({ state: 'deactivated', kept: true, inVault: true })
    expect(inventory.keys.filter((key) => key.hold === 'case-7')).toHaveLength(1)
    expect(inventory.findings.filter((line) => line.includes('is due for destruction'))).toEqual([])
  })

  it('names stale receipts, open backups, and the shares of earlier epochs that still open them', () => {
    expect(inventory.runtimes).toMatchObject([
      { runtimeId: 'eu-one', stale: expect.stringMatching(/^The newest is .*old$/) },
    ])
    expect(inventory.backups).toMatchObject([{ number: 1, epoch: 1, copy: { status: 'open', holder: 'Grace Hopper' } }])
    expect(inventory.pastEpochs).toEqual([
      { epoch: 1, holders: ['ada', 'blaise', 'clara'], opens: ['Backup 1, Safe 2'] },
    ])
    expect(inventory.epoch).toBe(2)
  })

  it('finds a key whose rows are missing, rows of no key, and a private half that is due', async () => {
    const state = await aged.state()
    const [gone, orphan] = [firstOf('globex')?.kid ?? '', 'A'.repeat(43)]
    state.sealed.delete(`key:${gone}`)
    state.sealed.set(`wrap:${orphan}`, orphan)
    const policy = state.tenants.get('globex')
    if (policy) policy.policy = { ...policy.policy, destroyPrivateAtRetirement: true }
    const { findings } = inventoryOf(state, {
      ceremony: 'V-2026-001',
      root: (await openTrustAnchor(state.anchor)).key.kid,
      now: aged.clock.now(),
    })
    expect(findings).toEqual([
      expect.stringContaining('its sealed rows are missing'),
      expect.stringContaining('its private half is due for destruction'),
      `The row wrap:${orphan} belongs to no key that the history names.`,
    ])
  })

  it('is verified from the trust anchor, page and all; a page or a byte that was changed is not', async () => {
    const at = aged.copy(genesis.folder())
    const folder = join(at.records, ran.result.ceremony)
    const report = async () => (await verifyFiles([folder], anchorFile(at), at.clock.now())).files
    expect((await report()).filter((one) => !one.ok)).toEqual([])
    expect((await report()).find((one) => one.file.endsWith('inventory.json'))).toMatchObject({
      kind: 'inventory',
      standing: 'verified',
    })
    const page = join(folder, 'inventory.html')
    writeFileSync(page, readFileSync(page, 'utf8').replace('Inventory', 'Inventary'))
    expect((await report()).find((one) => one.file === page)).toMatchObject({ ok: false })
    const path = join(folder, 'inventory.json')
    const text = readFileSync(path, 'utf8')
    const middle = text.length >> 1
    writeFileSync(path, text.slice(0, middle) + (text[middle] === 'A' ? 'B' : 'A') + text.slice(middle + 1))
    expect((await report()).find((one) => one.file === path)).toMatchObject({ standing: 'failed' })
  })
})
