import { cpSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import { readBundle } from '../../electron/handoff/bundle.ts'
import { copiesOf, gradeOf } from '../../shared/domain/ledger.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { keysOf } from '../../shared/domain/state.ts'
import type { TenantLine } from '../../shared/formats/bundle.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { failure, filesOf, makeGenesis, tenantPlan } from '../ceremony/fixtures.ts'
import {
  alarmsOf,
  codeOf,
  makeHandoff,
  makeServing,
  makeTenant,
  makeVault,
  pathsOf,
  stateOf,
  T0,
} from '../issuer/fixtures.ts'

describe('fault 23: a destroyed key comes back [tombstone wins, alarm]', () => {
  /** A runtime that knows a tombstone, and the tenant as it was before: with that key. */
  async function buried() {
    const vault = await makeVault()
    const tenant = makeTenant('acme')
    const made = await makeServing(vault, [tenant])
    const [key] = tenant.keys
    if (!key) throw new Error('no key')
    const before = { ...tenant, keys: [...tenant.keys] }
    const later = { ...tenant, keys: tenant.keys.slice(1), tombstones: [{ kid: key.kid, at: T0 }] }
    made.clock.to(key.removeAt + DAY)
    const manifest = { iat: made.clock.now(), exp: made.clock.now() + 30 * DAY }
    const second = await makeHandoff(vault, made.folder, [later], { previous: made.first, manifest })
    await made.runtime.importFiles(pathsOf(second))
    return { vault, made, before, later, key, manifest, second }
  }

  it('imported again, named by a bundle: refused as a whole, the store unchanged, an alarm in the receipts', async () => {
    const { vault, made, before, manifest, second } = await buried()
    const third = await makeHandoff(vault, made.folder, [before], { previous: second, manifest })
    const kept = await stateOf(made.runtime)
    expect(await codeOf(() => made.runtime.importFiles([third.bundle]))).toBe('tombstone-hit')
    expect(await stateOf(made.runtime)).toBe(kept)
    expect(await alarmsOf(made)).toEqual(['tombstone-hit'])
  })

  it('imported again under another tenant: refused just the same', async () => {
    const { vault, made, later, key, manifest, second } = await buried()
    const thief = makeTenant('globex', { from: made.clock.now() })
    const { kid, jwk, spec } = key
    const stolen = { ...thief, keys: thief.keys.map((one, at) => (at === 0 ? { ...one, kid, jwk, spec } : one)) }
    const third = await makeHandoff(vault, made.folder, [later, stolen], { previous: second, manifest })
    expect(await codeOf(() => made.runtime.importFiles([third.bundle]))).toMatch(/^(?:tombstone-hit|bundle-refused)$/)
    expect(await made.runtime.find('globex.example.com', '')).toBeNull()
  })

  it('imported again as material alone: refused before anything is decrypted, with an alarm', async () => {
    const { vault, made, before, manifest, second } = await buried()
    await made.runtime.exportReceipts(made.folder)
    const again = await makeHandoff(vault, made.folder, [before], {
      previous: made.first,
      manifest,
      material: { bundle: second.manifestDigest },
      transportKey: made.transportKey,
    })
    expect(await codeOf(() => made.runtime.importFiles([again.material ?? '']))).toBe('tombstone-hit')
    expect(await alarmsOf(made)).toEqual(['tombstone-hit'])
  })
})

describe('fault 23: restored from a backup', () => {
  it('with its certificate the key is marked: tombstone in the next bundle, alarm in the record; without it the runtime refuses', async () => {
    const genesis = await makeGenesis()
    try {
      const room = genesis.room()
      await room.onboard(tenantPlan('acme'))
      const live = await room.runtime()
      await room.handoff(live)
      await room.intake(live)
      await room.run({ kind: 'backup', holder: 'Grace Hopper', place: 'Safe 2' })
      const [key] = keysOf(await room.state(), 'acme')
      const kid = key?.kid ?? ''
      // Its tokens have expired, but it is still published: the copy would name it in a bundle again.
      for (let at = room.clock.now(); at < (key?.times.removeAt ?? 0) - 2 * DAY; at += 10 * DAY) {
        room.clock.to(at)
        await live.runtime.tick()
      }
      await room.intake(live)
      const gone = await room.run(
        { kind: 'destroy', keys: [kid], reason: 'End of schedule' },
        { confirm: [confirmationFor([kid])] },
      )
      await room.handoff(live)
      const certificate = filesOf(gone.result.recordFolder).find((name) => /^certificate-.*Z\.json$/.test(name)) ?? ''
      cpSync(join(gone.result.recordFolder, certificate), join(room.media, certificate))
      const backup = (await room.state()).backups.get(1)?.made?.folder ?? ''
      rmSync(room.vault, { recursive: true })
      cpSync(join(room.media, backup), room.vault, { recursive: true })
      await live.runtime.tick()
      const receipts = [
        { runtime: 'eu-one', file: basename((await live.runtime.exportReceipts(room.media, { all: true })).path) },
      ]
      const restore = { kind: 'restore', backup: 1, receipts, reason: 'Burned' }

      const naive = room.copy(genesis.folder())
      await naive.run({ ...restore, certificates: [] })
      await naive.run({ kind: 'handoff', runtime: 'eu-one', tenants: 'all' })
      expect((await failure(live.runtime.importFiles(naive.written))).code).toBe('tombstone-hit')

      const { result, state } = await room.run({ ...restore, certificates: [certificate] })
      const { deviations } = state.ceremonies.get(result.ceremony) ?? {}
      expect(deviations?.map((one) => one.happened)).toEqual([expect.stringContaining('brought back acme-')])
      const restored = state.keys.get(kid)
      expect(restored && gradeOf(copiesOf(state, restored))).toBe('deletion')
      const handed = await room.run({ kind: 'handoff', runtime: 'eu-one', tenants: 'all' })
      const lines: TenantLine[] = []
      const path = room.written.find((one) => one.includes('bundle-')) ?? ''
      await readBundle(path, await openTrustAnchor(handed.state.anchor), (line) => lines.push(line))
      expect(lines[0]?.tombstones.map((stone) => stone.kid)).toContain(kid)
      expect(lines[0]?.keys.map((one) => one.kid)).not.toContain(kid)
      await live.runtime.importFiles(room.written)
      await live.runtime.close()
    } finally {
      genesis.remove()
    }
  }, 180_000)
})
