import { existsSync } from 'node:fs'
import { expect } from 'vitest'
import { abortCeremony } from '../../../electron/ceremony/abort.ts'
import { copiesOf } from '../../../shared/domain/ledger.ts'
import { isAlone, SCRIPTS } from '../../../shared/domain/script.ts'
import { openCeremony } from '../../../shared/domain/state.ts'
import { failure, filesOf, PRESENT, type Room, tenantPlan } from '../../ceremony/fixtures.ts'
import type { Ready } from '../../ceremony/kinds.ts'
import { quickKeys } from './quick-keys.ts'

/** What must hold of a stopped room besides going on: it can be closed instead, and the vault takes other ceremonies. */

/** The vault takes another ceremony, where a tail is left only once it is accepted; then nothing is left beside it. */
export async function goesOn(room: Room, ready: Ready): Promise<void> {
  const plan = { kind: 'onboard', tenants: [tenantPlan('afterwards')] }
  const present = quorumOf(ready)
  const { tail } = await room.verify()
  if (tail) await room.refused(plan, 'vault-tail', { present })
  const { state } = await room.run(plan, { present, ports: quickKeys, acceptTail: tail !== null })
  expect(state.tenants.has('afterwards')).toBe(true)
  expect(await room.verify()).toMatchObject({ tail: null })
  expect(filesOf(room.vault)).toEqual(['people.json', 'vault.db'])
}

/** Who can do what needs a quorum. */
const quorumOf = ({ plan, present }: Ready): readonly string[] => (isAlone(plan.kind) ? PRESENT : present)

/** Of a destruction that has begun only its end proves that the keys are gone, and nothing says so before. */
async function nothingClaimed(room: Room, { plan }: Ready): Promise<void> {
  const state = await room.state()
  for (const kid of Object.values(plan['keys'] ?? [])) {
    const key = state.keys.get(String(kid))
    const [vault] = key ? copiesOf(state, key) : []
    expect(vault?.status).toBe(key?.absenceProved ? 'verified' : 'open')
    expect(vault?.evidence.includes('proved on decrypted pages')).toBe(key?.absenceProved != null)
  }
}

/**
 * Closes the open ceremony of a stopped room instead of going on, where its script allows that: half-made keys are gone,
 * and the vault goes on. Where it does not, nothing is changed.
 */
export async function abortable(room: Room, ready: Ready): Promise<void> {
  if (!existsSync(room.vault)) return
  const open = openCeremony(await room.withVault((vault) => vault.state, ready.present))
  if (!open) return
  const content = room.content()
  const abortBy = (present: readonly string[]) =>
    room.withVault(
      (vault) => abortCeremony(room.ports(), vault, { reason: 'The lights went out', acceptTail: true }),
      present,
    )
  if (isAlone(open.kind)) {
    expect((await failure(abortBy(ready.present))).code).toBe('quorum-missing')
    expect(room.content()).toEqual(content)
  }
  const abort = abortBy(quorumOf(ready))
  const tooLate = SCRIPTS[open.kind].some(
    (step) => step.noWayBack && open.done.some((done) => done.step === step.id) && open.kind !== 'emergency',
  )
  if (tooLate) {
    expect((await failure(abort)).code).toBe('ceremony-conflict')
    expect(room.content()).toEqual(content)
    if (open.kind === 'destroy') await nothingClaimed(room, ready)
    return
  }
  const closed = await abort
  const after = await room.state()
  expect(openCeremony(after)).toBeNull()
  expect(after.ceremonies.get(open.id)?.ended).toMatchObject({ how: 'aborted', reason: 'The lights went out' })
  const halfMade = [...after.keys.values()].filter((key) => key.bornIn === open.id)
  expect(closed.erased).toBe(halfMade.length)
  for (const key of halfMade) {
    expect([key.destroyed !== null, after.sealed.has(`key:${key.kid}`)]).toEqual([true, false])
    expect(copiesOf(after, key)[0]).toMatchObject({ status: 'open' })
  }
  expect(await room.verify()).toMatchObject({ tail: null })
  await goesOn(room, ready)
}
