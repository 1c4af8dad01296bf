import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import { readBundle } from '../../electron/handoff/bundle.ts'
import { readMaterial } from '../../electron/handoff/material.ts'
import { openVaultFile } from '../../electron/vault/log.ts'
import { openFileKey, openShare } from '../../electron/vault/people.ts'
import { readPeople } from '../../electron/vault/people-store.ts'
import { Quorum } from '../../electron/vault/quorum.ts'
import { combineShares } from '../../electron/vault/sharing.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { keysOf, type VaultState } from '../../shared/domain/state.ts'
import type { Code } from '../../shared/errors.ts'
import type { TenantLine } from '../../shared/formats/bundle.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { openCertificate, parseCertificateFile } from '../../shared/formats/certificate.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import {
  failure,
  filesOf,
  type Genesis,
  issuerOf,
  makeGenesis,
  type Room,
  T0,
  type TestRuntime,
  tenantPlan,
} from './fixtures.ts'

const DAY = 86_400
const reason = 'End of schedule'
const RUNTIME_ATTESTED = {
  copy: 'runtime:eu-one',
  by: 'grace',
  statement: 'No snapshot or backup of the runtime exists',
}
const MEDIUM_ATTESTED = { copy: 'medium', by: 'grace', statement: 'The old medium was shredded' }

let genesis: Genesis
/** Day 0: two tenants are served by a runtime. */
let young: Room
/** Day 100: the first keys are retired, erased by the runtime, and its receipts are taken. */
let old: Room
let runtime: TestRuntime
beforeAll(async () => {
  genesis = await makeGenesis()
  const room = genesis.room()
  await room.onboard(tenantPlan('acme'), tenantPlan('globex'))
  runtime = await room.runtime()
  await room.handoff(runtime)
  await room.intake(runtime)
  young = room.copy(genesis.folder())
  for (let day = 1; day <= 100; day++) {
    room.clock.to(T0 + day * DAY)
    await runtime.runtime.tick()
  }
  await room.intake(runtime)
  old = room
})
afterAll(async () => {
  await runtime.runtime.close()
  genesis.remove()
})

const aged = () => old.copy(genesis.folder())
const first = (state: VaultState, tenant = 'acme') => keysOf(state, tenant)[0]?.kid ?? ''
const destroyPlan = (kids: string[], ...attestations: object[]) => ({
  kind: 'destroy',
  keys: kids,
  reason,
  attestations,
})

async function destroyed(at: Room, ...attestations: object[]) {
  const kid = first(await at.state())
  const ran = await at.run(destroyPlan([kid], ...attestations), { confirm: [confirmationFor([kid])] })
  return { kid, ...ran }
}

describe('dependencies: refused, naming the blocker, and nothing is changed', () => {
  const BLOCKED: [string, (at: Room) => number, number, RegExp][] = [
    ['while it signs', () => T0 + 50 * DAY, 0, /it is to sign until/],
    ['while it may be extended', () => T0 + 93 * DAY, 0, /it may still have to sign until .*if its successor is late/],
    ['while it is to sign', () => T0 + 50 * DAY, 1, /it is to sign from/],
    ['while it is to sign, though its material never left', () => T0 + 50 * DAY, 2, /it is to sign from/],
  ]
  it.each(BLOCKED)('%s', async (_, when, index, message) => {
    const at = young.copy(genesis.folder())
    at.clock.to(when(at))
    const kid = keysOf(await at.state(), 'acme')[index]?.kid ?? ''
    const error = await at.refused(destroyPlan([kid]), 'destruction-blocked', { confirm: [confirmationFor([kid])] })
    expect(error.message).toMatch(message)
  })

  it('one blocked key of a batch blocks the batch', async () => {
    const at = aged()
    const kids = keysOf(await at.state(), 'acme').map((key) => key.kid)
    await at.refused(destroyPlan(kids), 'destruction-blocked', { confirm: [confirmationFor(kids)] })
  })

  it('a compromised key skips the waiting', async () => {
    const at = young.copy(genesis.folder())
    const kid = first(await at.state())
    await at.run({ kind: 'emergency', scope: { key: kid }, reason: 'stolen' })
    const { state } = await at.run(destroyPlan([kid]), { confirm: [confirmationFor([kid])] })
    expect(state.keys.get(kid)?.destroyed).not.toBeNull()
  })
})

describe('confirmation: the exact words, or nothing is changed', () => {
  const WORDS: [string, (kid: string) => string[]][] = [
    ['no words', () => []],
    ['--yes', () => ['yes']],
    ['the word alone', () => ['DESTROY']],
    ['lower case', (kid) => [confirmationFor([kid]).toLowerCase()]],
    ['one character short', (kid) => [confirmationFor([kid]).slice(0, -1)]],
    ['one character more', (kid) => [`DESTROY ${kid.slice(0, 9)}`]],
    ['another key', (kid) => [`DESTROY ${kid.slice(1, 9)}`]],
  ]
  it.each(WORDS)('%s', async (_, words) => {
    const at = aged()
    const kid = first(await at.state())
    const error = await at.refused(destroyPlan([kid]), 'confirmation-missing', { confirm: words(kid) })
    expect(error.message).toContain(`DESTROY ${kid.slice(0, 8)}`)
  })

  it('a batch is confirmed by its count and one digest over all', async () => {
    const at = aged()
    const state = await at.state()
    const kids = [first(state, 'acme'), first(state, 'globex')]
    await at.refused(destroyPlan(kids), 'confirmation-missing', {
      confirm: kids.map((kid) => `DESTROY ${kid.slice(0, 8)}`),
    })
    const { state: after } = await at.run(destroyPlan(kids), { confirm: [confirmationFor(kids)] })
    expect(kids.every((kid) => after.keys.get(kid)?.destroyed)).toBe(true)
    expect(after.certificates).toHaveLength(1)
  })
})

const REFUSED: [string, (kid: string) => object, Code][] = [
  ['an unknown key', () => destroyPlan([digest('nothing')]), 'key-unknown'],
  ['one key twice', (kid) => destroyPlan([kid, kid]), 'plan-invalid'],
  ['an attestation by a stranger', (kid) => destroyPlan([kid], { ...RUNTIME_ATTESTED, by: 'mallory' }), 'plan-invalid'],
  [
    'an attestation by somebody who is not there',
    (kid) => destroyPlan([kid], { ...RUNTIME_ATTESTED, by: 'clara' }),
    'plan-invalid',
  ],
  [
    'an attestation of the medium that the key is still on',
    (kid) => destroyPlan([kid], MEDIUM_ATTESTED),
    'plan-invalid',
  ],
  [
    'an attestation of a copy that nobody knows',
    (kid) => destroyPlan([kid], { ...RUNTIME_ATTESTED, copy: 'runtime:eu-0ne' }),
    'plan-invalid',
  ],
]
it.each(REFUSED)('%s is refused, and nothing is changed', async (_, plan, code) => {
  const at = aged()
  const kid = first(await at.state())
  await at.refused(plan(kid), code, {
    confirm: [confirmationFor([kid]), confirmationFor([kid, kid]), confirmationFor([digest('nothing')])],
  })
})

describe('destroy', () => {
  it('erases the rows, draws a new epoch, writes a new file, proves absence and issues the certificate, in this order', async () => {
    const at = aged()
    const before = await at.state()
    const { kid, result, state } = await destroyed(at, RUNTIME_ATTESTED)
    expect(result.steps.map(({ step }) => step)).toEqual([
      'check-machine',
      'check-dependencies',
      'confirm-destruction',
      'cool-off',
      'destroy-bytes',
      'new-epoch',
      'new-file',
      'prove-absence',
      'try-restore',
      'issue-certificate',
    ])
    expect(state.epoch).toBe(before.epoch + 1)
    expect(Object.keys(state.people['ada']?.fileKeys ?? {})).not.toEqual(
      Object.keys(before.people['ada']?.fileKeys ?? {}),
    )
    expect([state.sealed.has(`key:${kid}`), state.sealed.has(`wrap:${kid}`)]).toEqual([false, false])
    expect(state.sealed.size).toBe(before.sealed.size - 2)
    expect([...(state.proved.get(2)?.keys() ?? [])].sort()).toEqual(['ada', 'blaise'])
    expect(filesOf(at.vault)).toEqual(['people.json', 'vault.db'])
    expect(await at.verify()).toMatchObject({ tail: null, epoch: 2, sealed: state.sealed.size })
  })

  it('the remaining keys still open under the new quorum, for whoever brings it', async () => {
    const at = aged()
    await destroyed(at)
    const { state } = await at.run(
      { kind: 'rotate', tenants: 'all' },
      { present: ['blaise', 'clara', 'emmy', 'grace'] },
    )
    expect(keysOf(state, 'acme')).toHaveLength(4)
    await at.withVault(
      async (vault) => {
        const act = { ceremony: 'T-2026-001', planDigest: digest('x'), step: 'look', objects: digest('x') }
        await vault.withQuorum(act, await vault.approve(act), async (quorum) => {
          for (const key of vault.state.keys.values())
            if (!key.destroyed) expect(quorum.unseal(key.kid).length).toBeGreaterThan(100)
        })
      },
      ['clara', 'ada'],
    )
  })

  it('old shares and the old file key open nothing that remains', async () => {
    const at = aged()
    const kept = join(at.base, 'kept.vault')
    cpSync(at.vault, kept, { recursive: true })
    const oldPeople = readPeople(kept)
    const oldRoster = await at.withVault((vault) => vault.roster)
    const { kid } = await destroyed(at)
    const ada = at.people.get('ada')
    const blaise = at.people.get('blaise')
    if (!ada || !blaise) throw new Error('nobody is there')

    const state = await at.state()
    const anchor = await openTrustAnchor(state.anchor)
    for (const [id, jwe] of Object.entries(oldPeople.people['ada']?.fileKeys ?? {})) {
      const oldKey = await openFileKey(anchor, ada, id, jwe)
      expect(() => openVaultFile(join(at.vault, 'vault.db'), oldKey)).toThrow(
        expect.objectContaining({ code: 'vault-damaged' }),
      )
    }
    const shares = []
    for (const person of [ada, blaise]) {
      const entry = oldPeople.people[person.id]
      if (entry) shares.push(await openShare(anchor, person, entry, 1))
    }
    const secret = await combineShares(shares, oldRoster)
    await at.withVault((vault) => {
      const remaining = [...vault.state.keys.values()].filter((key) => !key.destroyed)
      expect(remaining.length).toBeGreaterThan(3)
      for (const epoch of [1, 2]) {
        const quorum = new Quorum({ secret: new Uint8Array(secret), epoch }, vault.database, vault.anchor, vault.state)
        for (const key of remaining)
          expect(() => quorum.unseal(key.kid)).toThrow(expect.objectContaining({ code: 'decryption-failed' }))
        expect(() => quorum.unseal(kid)).toThrow(expect.objectContaining({ code: 'key-unknown' }))
      }
    })
    expect(Object.keys(readPeople(at.vault).people['ada']?.shares ?? {})).toEqual(['2'])
    expect(Object.keys(readPeople(at.vault).people['clara']?.shares ?? {})).toEqual(['2'])
  })

  it('a destroyed key is not destroyed again, nor marked in an emergency as a key in use', async () => {
    const at = aged()
    const { kid } = await destroyed(at)
    await at.refused(destroyPlan([kid]), 'ceremony-conflict', { confirm: [confirmationFor([kid])] })
  })
})

describe('the certificate', () => {
  /** What is attested with the erasure, and in a later ceremony for the same key. */
  const GRADES: [string, object[], object[] | null, 'deletion' | 'destruction', string[]][] = [
    ['deletion while the medium and the runtime are open', [], null, 'deletion', ['runtime:eu-one', 'medium']],
    ['deletion while the medium is open', [RUNTIME_ATTESTED], null, 'deletion', ['medium']],
    ['deletion while the runtime is open', [], [MEDIUM_ATTESTED], 'deletion', ['runtime:eu-one']],
    [
      'destruction when the medium is attested later',
      [RUNTIME_ATTESTED],
      [{ ...MEDIUM_ATTESTED, by: 'emmy' }],
      'destruction',
      [],
    ],
    ['destruction when both are attested later', [], [RUNTIME_ATTESTED, MEDIUM_ATTESTED], 'destruction', []],
  ]
  it.each(GRADES)('is called %s', async (_, attestations, later, grade, open) => {
    const at = aged()
    const first = await destroyed(at, ...attestations)
    const { kid } = first
    const confirm = [confirmationFor([kid])]
    const { result, state } = later ? await at.run(destroyPlan([kid], ...later), { confirm }) : first
    expect(state.keys.get(kid)?.destroyed).toEqual(first.state.keys.get(kid)?.destroyed)
    expect(state.certificates).toHaveLength(later ? 2 : 1)
    const key = state.keys.get(kid)
    expect(key?.certificate).toEqual({ id: `${result.ceremony}-C1`, grade })
    const copies = key ? copiesOf(state, key) : []
    expect(copies.map((copy) => copy.id)).toEqual(['vault', 'file:eu-one:1', 'runtime:eu-one', 'medium'])
    expect(copies.filter((copy) => copy.status === 'open').map((copy) => copy.id)).toEqual(open)

    const name = filesOf(result.recordFolder).find((file) => /^certificate-.*\.json$/.test(file)) ?? ''
    const file = parseCertificateFile(readFileSync(join(result.recordFolder, name)))
    const anchor = await openTrustAnchor(state.anchor)
    const said = await openCertificate(file.certificate, anchor.key, true)
    expect(said).toMatchObject({ grade, reason, certificate: `${result.ceremony}-C1` })
    expect(said.keys.map((one) => one.kid)).toEqual([kid])
    expect(said.notProvable.length).toBeGreaterThan(0)
    const attested = [...attestations, ...(later ?? [])].length > 0
    expect(said.stated.some((line) => line.includes('Their own sign-off on its record and certificate'))).toBe(attested)
    if (later) expect(said.stated.join('\n')).toContain(` in ${result.ceremony}: The old medium was shredded`)
    if (later)
      expect(result.steps.find(({ step }) => step === 'destroy-bytes')?.observed).toBe(
        `Overwritten and deleted already in ${first.result.ceremony}. Nothing is left to erase.`,
      )
    expect(await at.verify()).toMatchObject({ tail: null })
    expect(Object.keys(file.signatures).sort()).toEqual(['ada', 'blaise', 'emmy', 'grace'])
    const report = await verifyFiles(
      [result.recordFolder],
      join(at.media, filesOf(at.media).find((one) => one.startsWith('trust-anchor-')) ?? ''),
      at.clock.now(),
    )
    expect(report.files.filter((one) => !one.ok)).toEqual([])
  })

  it('a key whose runtime never answered stays open there, although its holder attests', async () => {
    const at = young.copy(genesis.folder())
    at.clock.to(T0 + 100 * DAY)
    const { kid } = await destroyed(at, RUNTIME_ATTESTED)
    const { state } = await at.run(destroyPlan([kid], MEDIUM_ATTESTED), { confirm: [confirmationFor([kid])] })
    expect(state.keys.get(kid)?.certificate?.grade).toBe('deletion')
  })

  it('an attestation from before the runtime stated its erasure does not count', async () => {
    const at = young.copy(genesis.folder())
    at.clock.to(T0 + 98 * DAY)
    const { kid } = await destroyed(at, RUNTIME_ATTESTED)
    const state = await at.state()
    const [known] = state.runtimes.values()
    known?.receipts.statements.push({
      seq: 99,
      at: at.clock.now() + DAY,
      stated: { type: 'erased', tenant: 'acme', kid, reason: 'retired' },
    })
    const key = state.keys.get(kid)
    const copies = key ? copiesOf(state, key) : []
    expect(copies.find((copy) => copy.id === 'runtime:eu-one')?.status).toBe('open')
  })

  it('a certificate over many keys has room for what is stated of all of them', async () => {
    const at = genesis.room()
    await at.onboard(...Array.from({ length: 24 }, (_, n) => tenantPlan(`tenant-${n}`)))
    const live = await at.runtime()
    await at.handoff(live)
    for (let day = 1; day <= 98; day++) {
      at.clock.to(T0 + day * DAY)
      await live.runtime.tick()
    }
    await at.intake(live)
    await live.runtime.close()
    const state = await at.state()
    const kids = [...state.tenants.keys()].map((tenant) => first(state, tenant))
    const ran = await at.run(destroyPlan(kids, RUNTIME_ATTESTED), { confirm: [confirmationFor(kids)] })
    const anchor = await openTrustAnchor(ran.state.anchor)
    const [certificate] = ran.state.certificates
    const said = await openCertificate(certificate?.statement ?? '', anchor.key, true)
    expect(said.stated.at(-2)).toMatch(/more statements, listed with each key/)
  }, 60_000)
})

describe('after a destruction', () => {
  /** Brings the runtime's receipts in and hands over again; gives the bundle's lines and the kids of the material. */
  async function nextHandoff(at: Room) {
    const ran = await at.run({ kind: 'handoff', runtime: 'eu-one', tenants: 'all' })
    const anchor = await openTrustAnchor(ran.state.anchor)
    const [bundle = '', material = ''] = ['bundle-', 'material-'].map((type) =>
      at.written.find((path) => path.includes(type)),
    )
    const lines: TenantLine[] = []
    await readBundle(bundle, anchor, (line) => lines.push(line))
    const kids: string[] = []
    await readMaterial(material, anchor, (key) => kids.push(key.kid))
    return { lines, kids }
  }

  it('the key never appears in later material, and its tombstone stands in every later bundle', async () => {
    const at = aged()
    const { kid } = await destroyed(at)
    at.clock.to(T0 + 110 * DAY)
    const { lines, kids } = await nextHandoff(at)
    const acme = lines.find((line) => line.tenant === 'acme')
    expect(acme?.tombstones.map((stone) => stone.kid)).toEqual([kid])
    expect(acme?.keys.map((key) => key.kid)).not.toContain(kid)
    expect(kids).not.toContain(kid)
    expect(lines.find((line) => line.tenant === 'globex')?.tombstones).toEqual([])
  })

  it('also while its public half was still to be published: the handoff works, and the tombstone stands', async () => {
    const at = aged()
    const state = await at.state()
    const times = keysOf(state, 'acme')[0]?.times
    expect(at.clock.now()).toBeLessThan(times?.removeAt ?? 0)
    const { kid } = await destroyed(at)
    const { lines } = await nextHandoff(at)
    const acme = lines.find((line) => line.tenant === 'acme')
    expect(acme?.tombstones.map((stone) => stone.kid)).toEqual([kid])
    expect(acme?.keys.map((key) => key.kid)).not.toContain(kid)
  })

  it('within the life of the last token it may have signed, its public half stays published without a tombstone', async () => {
    const at = young.copy(genesis.folder())
    const times = keysOf(await at.state(), 'acme')[0]?.times
    at.clock.to((times?.extendUntil ?? 0) + 60)
    const { kid } = await destroyed(at)
    expect(at.clock.now()).toBeLessThan((times?.extendUntil ?? 0) + 3900)
    const { lines } = await nextHandoff(at)
    const acme = lines.find((line) => line.tenant === 'acme')
    expect([acme?.tombstones, acme?.keys.some((key) => key.kid === kid)]).toEqual([[], true])
  })

  it('a compromised key that was destroyed at once does not stop the next handoff, and the replacement signs', async () => {
    const room = genesis.room()
    await room.onboard(tenantPlan('acme'))
    const live = await room.runtime()
    await room.handoff(live)
    await room.intake(live)
    const kid = first(await room.state())
    await room.run({ kind: 'emergency', scope: { key: kid }, reason: 'stolen' })
    await room.run(destroyPlan([kid]), { confirm: [confirmationFor([kid])] })
    const { state } = await room.handoff(live)
    const replacement = [...state.keys.values()].find((key) => key.replaces === kid)
    const service = await live.runtime.find(new URL(issuerOf('acme')).host, '')
    expect((await service?.signer('ES256', room.clock.now()))?.kid).toBe(replacement?.kid)
    expect(service?.published(room.clock.now()).keys.map((key) => key.kid)).not.toContain(kid)
    await live.runtime.close()
  })

  it('a runtime refuses the key if it ever comes back', async () => {
    const at = aged()
    const { kid } = await destroyed(at)
    const work = at.run(
      { kind: 'handoff', runtime: 'eu-one', tenants: 'all' },
      {
        ports: (ports) => ({
          ...ports,
          media: {
            ...ports.media,
            writeBundle: (manifest, tenants, root, practice) => {
              const back = tenants.map((entry) => {
                const known = 'keys' in entry && entry.tenant === 'acme' ? entry.keys[0] : undefined
                return known && 'keys' in entry ? { ...entry, keys: [...entry.keys, { ...known, kid }] } : entry
              })
              return ports.media.writeBundle(manifest, back, root, practice)
            },
          },
        }),
      },
    )
    expect((await failure(work)).code).toBe('tombstone-hit')
    expect(Object.keys(at.content()).filter((name) => name.includes('bundle-'))).toHaveLength(1)
  })
})
