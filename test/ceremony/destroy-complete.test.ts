import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import { resumeCeremony } from '../../electron/ceremony/runner.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { keysOf, openCeremony, type VaultState } from '../../shared/domain/state.ts'
import { utf8 } from '../../shared/formats/bytes.ts'
import { openCertificate } from '../../shared/formats/certificate.ts'
import { type InclusionProof, verifyInclusion } from '../../shared/formats/merkle.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { failure, filesOf, type Genesis, makeGenesis, type Ran, type Room, T0, tenantPlan } from './fixtures.ts'

/** Destruction by tenant and of everything retired, legal holds, cooling-off, the negative restore test, batches. */

const DAY = 86_400
const HOUR = 3600
const reason = 'End of schedule'

let genesis: Genesis
/** Day 120: acme (which keeps nothing), globex (which keeps private halves) and slow (which waits a day) have retired keys. */
let aged: Room
beforeAll(async () => {
  genesis = await makeGenesis()
  aged = genesis.room()
  await aged.onboard(
    tenantPlan('acme'),
    tenantPlan('globex', { policy: { destroyPrivateAtRetirement: false } }),
    tenantPlan('slow', { policy: { destructionCoolingOff: '24h' } }),
  )
  await aged.run({ kind: 'backup', holder: 'Grace Hopper', place: 'Safe 2' })
  aged.clock.to(T0 + 120 * DAY)
})
afterAll(() => genesis.remove())

const room = () => aged.copy(genesis.folder())
const first = (state: VaultState, tenant = 'acme') => keysOf(state, tenant)[0]?.kid ?? ''
const anchorFile = (at: Room) =>
  join(at.media, filesOf(at.media).find((name) => name.startsWith('trust-anchor-')) ?? '')
const backupOf = (state: VaultState) => state.backups.get(1)?.made?.folder ?? ''

async function certificateOf({ state }: Ran) {
  const anchor = await openTrustAnchor(state.anchor)
  return openCertificate(state.certificates.at(-1)?.statement ?? '', anchor.key, true)
}

async function allVerified(at: Room, { result }: Ran): Promise<void> {
  const report = await verifyFiles([result.recordFolder], anchorFile(at), at.clock.now())
  expect(report.files.filter((one) => !one.ok)).toEqual([])
  expect(await at.verify()).toMatchObject({ tail: null })
}

describe('what a plan may name', () => {
  it('exactly one of keys, tenant and retired', () => {
    const kid = 'A'.repeat(43)
    for (const choice of [{}, { keys: [kid], tenant: 'acme' }, { tenant: 'acme', retired: true }])
      expect(() => parsePlan(JSON.stringify({ kind: 'destroy', reason, ...choice }))).toThrow(
        expect.objectContaining({ code: 'plan-invalid' }),
      )
  })

  it('retired: everything that nothing needs any more; what a policy keeps is left out, and that is said', async () => {
    const at = room()
    const state = await at.state()
    const kids = [first(state, 'acme'), first(state, 'slow')]
    await at.refused({ kind: 'destroy', retired: true, reason }, 'confirmation-missing')
    const work = at.run({ kind: 'destroy', retired: true, reason }, { confirm: [confirmationFor(kids)] })
    // One of them waits a day: the greatest cooling-off of all counts.
    expect((await failure(work)).code).toBe('cooling-off')
    const open = openCeremony(await at.state())
    expect(open?.done.map(({ step }) => step)).toEqual(['check-machine', 'check-dependencies', 'confirm-destruction'])
    expect(open?.done[1]?.observed).toContain('the policy of its tenant keeps private halves')
  })

  it('tenant: every key of it, so one that is still needed blocks all', async () => {
    const at = room()
    const error = await at.refused({ kind: 'destroy', tenant: 'acme', reason }, 'destruction-blocked')
    expect(error.message).toMatch(/it is to sign/)
    await at.refused({ kind: 'destroy', tenant: 'nobody', reason }, 'tenant-unknown')
  })

  it('tenant: after its last key is compromised, all of them go with one certificate and one proof each', async () => {
    const at = room()
    const state = await at.state()
    const all = keysOf(state, 'acme').map((key) => key.kid)
    for (const kid of all.slice(1)) await at.run({ kind: 'emergency', scope: { key: kid }, reason: 'stolen' })
    const kids = keysOf(await at.state(), 'acme').flatMap((key) =>
      key.compromised || key.kid === all[0] ? [key.kid] : [],
    )
    const rest = keysOf(await at.state(), 'acme').filter((key) => !kids.includes(key.kid))
    const plan =
      rest.length === 0 ? { kind: 'destroy', tenant: 'acme', reason } : { kind: 'destroy', keys: kids, reason }
    const ran = await at.run(plan, { confirm: [confirmationFor(kids)] })
    const certificate = await certificateOf(ran)
    expect(certificate.keys.map((key) => key.kid)).toEqual(kids)
    const name = filesOf(ran.result.recordFolder).find((file) => file.endsWith('.proofs.json')) ?? ''
    const { merkleRoot, proofs } = JSON.parse(readFileSync(join(ran.result.recordFolder, name), 'utf8')) as {
      merkleRoot: string
      proofs: (InclusionProof & { kid: string })[]
    }
    expect(confirmationFor(kids)).toBe(`DESTROY ${kids.length} ${merkleRoot.slice(0, 8)}`)
    expect(certificate.merkleRoot).toBe(merkleRoot)
    expect(proofs.map(({ kid }) => kid)).toEqual(kids)
    for (const { kid, ...proof } of proofs) expect(verifyInclusion(utf8(kid), proof, merkleRoot)).toBe(true)
    await allVerified(at, ran)
  })
})

describe('legal hold', () => {
  it('refuses, naming the hold; a compromise does not lift it, and lifting does', async () => {
    const at = room()
    const kid = first(await at.state())
    await at.run({ kind: 'amend', reason: 'Court order', changes: [{ hold: 'case-7', keys: [kid], reason: 'Case 7' }] })
    const plan = { kind: 'destroy', keys: [kid], reason }
    const confirm = [confirmationFor([kid])]
    const error = await at.refused(plan, 'destruction-blocked', { confirm })
    expect(error.message).toContain('the legal hold case-7 names it')
    await at.run({ kind: 'amend', reason: 'Case closed', changes: [{ lift: 'case-7' }] })
    const { state } = await at.run(plan, { confirm })
    expect(state.keys.get(kid)?.destroyed).not.toBeNull()
  })

  it('holds a compromised key too, and leaves it out of everything retired', async () => {
    const at = room()
    const second = keysOf(await at.state(), 'acme')[1]?.kid ?? ''
    await at.run({ kind: 'emergency', scope: { key: second }, reason: 'stolen' })
    await at.run({
      kind: 'amend',
      reason: 'Court order',
      changes: [{ hold: 'case-8', tenant: 'acme', reason: 'Case 8' }],
    })
    const plan = { kind: 'destroy', keys: [second], reason }
    await at.refused(plan, 'destruction-blocked', { confirm: [confirmationFor([second])] })
    const kid = first(await at.state(), 'slow')
    await failure(at.run({ kind: 'destroy', retired: true, reason }, { confirm: [confirmationFor([kid])] }))
    const observed = openCeremony(await at.state())?.done[1]?.observed
    expect(observed).toContain('the legal hold case-8 names it')
  })
})

describe('cooling-off', () => {
  async function confirmed(at: Room): Promise<string> {
    const kid = first(await at.state(), 'slow')
    const error = await failure(at.run({ kind: 'destroy', keys: [kid], reason }, { confirm: [confirmationFor([kid])] }))
    expect(error.code).toBe('cooling-off')
    expect(error.message).toMatch(/waits until 2026-06-30 \d\d:\d\d:\d\d UTC/)
    return kid
  }

  async function resume(at: Room) {
    const vault = await at.open()
    try {
      const result = await resumeCeremony(at.ports(), vault, parsePlan, { confirm: [], acceptTail: true })
      return { result, state: vault.state }
    } finally {
      vault.close()
    }
  }

  it('stops after the confirmation; resuming before the time refuses and changes nothing; after it, it goes on without a deviation', async () => {
    const at = room()
    const kid = await confirmed(at)
    at.clock.advance(23 * HOUR)
    const before = at.content()
    expect((await failure(resume(at))).code).toBe('cooling-off')
    expect(at.content()).toEqual(before)
    at.clock.advance(2 * HOUR)
    const ran = await resume(at)
    expect(ran.state.keys.get(kid)?.destroyed).not.toBeNull()
    const ceremony = ran.state.ceremonies.get(ran.result.ceremony)
    expect(ceremony?.deviations).toEqual([])
    expect(ceremony?.done.find(({ step }) => step === 'cool-off')?.observed).toContain('as the policy asks')
    await allVerified(at, ran)
  })

  it('a compromised key skips the waiting of its schedule, not the cooling-off', async () => {
    const at = room()
    const kid = keysOf(await at.state(), 'slow')[1]?.kid ?? ''
    await at.run({ kind: 'emergency', scope: { key: kid }, reason: 'stolen' })
    const work = at.run({ kind: 'destroy', keys: [kid], reason }, { confirm: [confirmationFor([kid])] })
    expect((await failure(work)).code).toBe('cooling-off')
  })
})

describe('the negative restore test', () => {
  const plan = (kid: string, negativeRestore: string[], attestations: object[] = []) => ({
    kind: 'destroy',
    keys: [kid],
    reason,
    negativeRestore,
    attestations,
  })

  it('a backup from which a real quorum opens the key is an open copy, whatever was attested, and the certificate says deletion', async () => {
    const at = room()
    const state = await at.state()
    const kid = first(state)
    const said = { copy: 'backup:1', by: 'grace', statement: 'Shredded, I am sure' }
    const ran = await at.run(plan(kid, [backupOf(state)], [said]), { confirm: [confirmationFor([kid])] })
    expect(ran.result.steps.find(({ step }) => step === 'try-restore')?.observed).toContain('1 key opened')
    const key = ran.state.keys.get(kid)
    const copies = key ? copiesOf(ran.state, key) : []
    expect(copies.find((copy) => copy.id === 'backup:1')).toMatchObject({ status: 'open' })
    const certificate = await certificateOf(ran)
    expect(certificate.grade).toBe('deletion')
    expect(certificate.verified.join('\n')).toMatch(/tried to open the keys from backup 1 .*1 of the keys opened/)
    expect(certificate.cryptographicErase).toMatchObject({
      holds: false,
      alwaysEncrypted: true,
      everyCopySanitised: false,
    })
    await allVerified(at, ran)
  })

  it('a backup that does not open is a verified failure; with every other copy closed, the certificate says destruction', async () => {
    const at = room()
    const state = await at.state()
    const kid = first(state)
    const folder = backupOf(state)
    await at.run(plan(kid, []), { confirm: [confirmationFor([kid])] })
    rmSync(join(at.media, folder, 'vault.db'))
    const attestations = [
      { copy: 'backup:1', by: 'grace', statement: 'Its file was shredded' },
      { copy: 'medium', by: 'grace', statement: 'The old medium was shredded' },
    ]
    const ran = await at.run(plan(kid, [folder], attestations), { confirm: [confirmationFor([kid])] })
    const certificate = await certificateOf(ran)
    expect(certificate.verified.join('\n')).toMatch(/backup 1 .*none of the keys opened\. The copy did not open/)
    expect(certificate.grade).toBe('destruction')
    expect(certificate.cryptographicErase).toMatchObject({ holds: true, everyCopySanitised: true })
    await allVerified(at, ran)
  })

  it('a copy of the folder that no ceremony made is named too: whoever copied it, the key opens from it', async () => {
    const at = room()
    const kid = first(await at.state())
    cpSync(at.vault, join(at.media, 'found-in-a-drawer.vault'), { recursive: true })
    const ran = await at.run(plan(kid, ['found-in-a-drawer.vault']), { confirm: [confirmationFor([kid])] })
    const key = ran.state.keys.get(kid)
    const found = key ? copiesOf(ran.state, key).find((copy) => copy.id === 'found:found-in-a-drawer.vault') : undefined
    expect(found).toMatchObject({ status: 'open' })
    expect((await certificateOf(ran)).grade).toBe('deletion')
  })

  it('a renamed backup is known by what it holds', async () => {
    const at = room()
    const state = await at.state()
    const kid = first(state)
    cpSync(join(at.media, backupOf(state)), join(at.media, 'copy-of-the-copy.vault'), { recursive: true })
    const ran = await at.run(plan(kid, ['copy-of-the-copy.vault']), { confirm: [confirmationFor([kid])] })
    expect(ran.state.trials.at(-1)).toMatchObject({ copy: 'backup:1', opened: [kid] })
  })
})

it('at a table every custodian and compliance types the words; what was typed stands in the record', async () => {
  const at = room()
  const kid = first(await at.state())
  const asked: [string, readonly string[]][] = []
  const ran = await at.run(
    { kind: 'destroy', keys: [kid], reason },
    {
      ports: (ports) => ({
        ...ports,
        desk: {
          ...ports.desk,
          automated: false,
          confirm: async (words, people) => {
            asked.push([words, people])
            return 'typed by each of them'
          },
        },
      }),
    },
  )
  expect(asked).toEqual([[confirmationFor([kid]), ['ada', 'blaise', 'emmy']]])
  expect(ran.result.steps.find(({ step }) => step === 'confirm-destruction')?.observed).toContain(
    'typed by each of them',
  )
})
