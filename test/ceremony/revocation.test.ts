import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { vaultStatus } from '../../electron/cli/vault-status.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import { readBundle } from '../../electron/handoff/bundle.ts'
import { readRevocation } from '../../electron/handoff/revocation.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { preparedRevocations } from '../../shared/domain/prepared-revocations.ts'
import { keysOf, type VaultState } from '../../shared/domain/state.ts'
import type { TenantLine } from '../../shared/formats/bundle.ts'
import { checkSlots } from '../../shared/formats/bundle-check.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { lifeOf } from '../../shared/formats/key-life.ts'
import { type RevokedLine, revokedSlots } from '../../shared/formats/revocation.ts'
import { keyrite } from '../cli/run.ts'
import { codeOf } from '../issuer/fixtures.ts'
import {
  failure,
  filesOf,
  type Genesis,
  makeGenesis,
  type Ran,
  type Room,
  type TestRuntime,
  tenantPlan,
} from './fixtures.ts'

/** Revocations at the vault: signed after a compromise, prepared ahead, and what becomes of them. */

const reason = 'Seen on a public page'
let genesis: Genesis
let ready: { room: Room; bundle: string }

/** A vault that handed acme (cold standby) and globex to eu-one, five days ago; no receipt has come back. */
beforeAll(async () => {
  genesis = await makeGenesis()
  const room = genesis.room()
  await room.onboard(tenantPlan('acme', { policy: { standby: 'cold' } }), tenantPlan('globex'))
  const { runtime } = await room.runtime()
  await runtime.close()
  await room.run({ kind: 'handoff', runtime: 'eu-one', tenants: 'all' })
  const bundle = basename(room.written.find((path) => basename(path).startsWith('bundle-')) ?? '')
  room.clock.advance(5 * DAY)
  ready = { room, bundle }
}, 120_000)
afterAll(() => genesis.remove())

const open = (): Room => ready.room.copy(genesis.folder())
const revocationsIn = (room: Room) => room.written.filter((path) => basename(path).startsWith('revocation-'))
const signedFor = (state: VaultState, runtime = 'eu-one') => state.runtimes.get(runtime)?.revocations ?? []
const signing = (state: VaultState, tenant: string) => keysOf(state, tenant).find((key) => !key.standby)?.kid ?? ''
const emergency = (kid: string) => ({ kind: 'emergency', scope: { key: kid }, reason })
const PREPARE = { kind: 'envelope', runtime: 'eu-one', tenants: ['acme'], revoke: { reason: 'Prepared' } }

async function linesOf(room: Room, path: string): Promise<{ lines: RevokedLine[]; iat: number }> {
  const lines: RevokedLine[] = []
  const anchor = await room.withVault((vault) => vault.anchor)
  const { revocation } = await readRevocation(path, anchor, (line) => lines.push(line))
  return { lines, iat: revocation.iat }
}

/** Null where every line of the file holds exactly the slots that a runtime with this bundle computes. */
async function misfit(room: Room, path: string, bundle = ready.bundle): Promise<string | null> {
  const anchor = await room.withVault((vault) => vault.anchor)
  const known = new Map<string, TenantLine>()
  await readBundle(join(room.media, bundle), anchor, (line) => known.set(line.tenant, line))
  const { lines, iat } = await linesOf(room, path)
  for (const line of lines) {
    const entry = known.get(line.tenant)
    if (!entry) return `no ${line.tenant}`
    const code = await codeOf(() => checkSlots(entry, line.slots, revokedSlots(entry, line, iat), iat, anchor.key))
    if (code !== null) return `${line.tenant}: ${code}`
  }
  return null
}

async function verified(room: Room, { result }: Ran): Promise<string[]> {
  const anchor = filesOf(room.media).find((name) => name.startsWith('trust-anchor-')) ?? ''
  const paths = [result.recordFolder, ...revocationsIn(room)]
  const { files } = await verifyFiles(paths, join(room.media, anchor), room.clock.now())
  expect(files.map(({ kind }) => kind)).toContain('revocation')
  return files.flatMap(({ problems }) => problems)
}

describe('an emergency', () => {
  it('signs a revocation of exactly the marked key, whose slots are those of the bundle that the runtime has', async () => {
    const room = open()
    const kid = signing(await room.state(), 'globex')
    const ran = await room.run(emergency(kid))
    const [path = ''] = revocationsIn(room)
    const [signed] = signedFor(ran.state)
    expect(signed).toMatchObject({ order: 1, reason, prepared: false, keys: [kid], standbys: [] })
    expect(signed?.file).toMatchObject({ name: basename(path) })
    expect(signed?.exp).toBe((signed?.at ?? 0) + 7 * DAY)
    const { lines } = await linesOf(room, path)
    expect(lines).toMatchObject([{ tenant: 'globex', revoke: [kid], standby: null, historical: expect.any(String) }])
    expect(await misfit(room, path)).toBeNull()
    expect(await verified(room, ran)).toEqual([])
    expect((await room.verify()).tail).toBeNull()
  })

  it('names the standby key that was called upon, and the slots go on with it', async () => {
    const room = open()
    const before = await room.state()
    const standby = keysOf(before, 'acme').find((key) => key.standby)
    const { state } = await room.run(emergency(signing(before, 'acme')))
    expect(state.keys.get(standby?.kid ?? '')?.standby).toBeUndefined()
    const [path = ''] = revocationsIn(room)
    const { lines } = await linesOf(room, path)
    expect(lines[0]?.standby).toBe(standby?.kid)
    expect(lines[0]?.slots.at(-1)?.to).toBe(standby?.times.signUntil)
    expect(await misfit(room, path)).toBeNull()
  })

  it('after a rotation and an amendment that the runtime does not know, the slots are still those of its bundle', async () => {
    const room = open()
    room.clock.advance(100 * DAY)
    const before = await room.state()
    const kid = keysOf(before, 'globex')[1]?.kid ?? ''
    await room.run({ kind: 'rotate', tenants: ['globex'] })
    const policy = { slotLength: '7d', extension: '8d' }
    await room.run({ kind: 'amend', reason: 'Shorter', changes: [{ tenant: 'globex', policy }] })
    const { state } = await room.run(emergency(kid))
    expect(keysOf(state, 'globex').length).toBeGreaterThan(keysOf(before, 'globex').length)
    const [path = ''] = revocationsIn(room)
    expect(await misfit(room, path)).toBeNull()
  })

  it('of a whole runtime names every key there of every tenant, and another runtime gets nothing', async () => {
    const room = open()
    const other = await room.runtime('us-one')
    await other.runtime.close()
    const { state } = await room.run({ kind: 'emergency', scope: { runtime: 'eu-one' }, reason, validFor: '2d' })
    const left = state.runtimes.get('eu-one')?.handoffs[0]?.keys ?? []
    expect(signedFor(state)[0]?.keys.toSorted()).toEqual(left.toSorted())
    expect(signedFor(state, 'us-one')).toEqual([])
    const [path = '', ...more] = revocationsIn(room)
    expect(more).toEqual([])
    expect((await linesOf(room, path)).lines.map(({ tenant }) => tenant)).toEqual(['acme', 'globex'])
    expect(await misfit(room, path)).toBeNull()
  })

  it('of a key at two runtimes signs one for each, each with its own order', async () => {
    const room = open()
    const other = await room.runtime('us-one')
    await other.runtime.close()
    await room.run({ kind: 'handoff', runtime: 'us-one', tenants: ['globex'] })
    await room.run(emergency(signing(await room.state(), 'acme')))
    const { state } = await room.run(emergency(signing(await room.state(), 'globex')))
    expect(signedFor(state).map(({ order }) => order)).toEqual([1, 2])
    expect(signedFor(state, 'us-one').map(({ order }) => order)).toEqual([1])
    expect(revocationsIn(room)).toHaveLength(2)
    expect(new Set([...signedFor(state), ...signedFor(state, 'us-one')].map(({ id }) => id)).size).toBe(3)
  })

  it('of a key that no runtime was handed signs nothing, and nobody has to approve that', async () => {
    const room = genesis.room()
    await room.onboard(tenantPlan('initech'))
    const ran = await room.run(emergency(signing(await room.state(), 'initech')))
    expect(ran.result.steps.at(-1)?.observed).toMatch(/nothing to sign/)
    expect(revocationsIn(room)).toEqual([])
    const anchor = filesOf(room.media).find((name) => name.startsWith('trust-anchor-')) ?? ''
    const { files } = await verifyFiles([ran.result.recordFolder], join(room.media, anchor), room.clock.now())
    expect(files.flatMap(({ problems }) => problems)).toEqual([])
  })

  it('interrupted after the file was written: its number is never used again, and the file is taken back', async () => {
    const room = open()
    const kid = signing(await room.state(), 'globex')
    const broken = room.run(emergency(kid), {
      ports: (ports) => ({
        ...ports,
        media: {
          ...ports.media,
          writeRevocation: async (...args) => {
            await ports.media.writeRevocation(...args)
            throw new Error('unplugged')
          },
        },
      }),
    })
    await expect(broken).rejects.toThrow('unplugged')
    const [left = ''] = revocationsIn(room)
    expect(existsSync(left)).toBe(true)
    const { resumeCeremony } = await import('../../electron/ceremony/runner.ts')
    const { parsePlan } = await import('../../shared/formats/plan.ts')
    const result = await room.withVault((vault) =>
      resumeCeremony(room.ports(), vault, parsePlan, { confirm: [], acceptTail: true }),
    )
    expect(existsSync(left)).toBe(false)
    expect(result.steps.at(-1)?.observed).toContain(basename(left))
    const revocations = signedFor(await room.state())
    expect(revocations.map(({ order, file }) => [order, file !== null])).toEqual([
      [1, false],
      [2, true],
    ])
  })
})

describe('prepared ahead', () => {
  it('signs today and marks nothing; status says what it is for, and when it no longer names every key', async () => {
    const room = open()
    const ran = await room.run({ ...PREPARE, validFor: '90d' })
    expect([...ran.state.keys.values()].filter((key) => key.compromised)).toEqual([])
    const [signed] = signedFor(ran.state)
    const left = new Set(ran.state.runtimes.get('eu-one')?.handoffs[0]?.keys)
    const own = keysOf(ran.state, 'acme').filter((key) => left.has(key.kid))
    expect(signed).toMatchObject({ prepared: true, reason: 'Prepared', keys: own.map(({ kid }) => kid) })
    expect(signed?.standbys).toEqual([keysOf(ran.state, 'acme').find((key) => key.standby)?.kid])
    const [path = ''] = revocationsIn(room)
    expect((await linesOf(room, path)).lines[0]?.historical).toBeUndefined()
    expect(await misfit(room, path)).toBeNull()
    expect(await verified(room, ran)).toEqual([])
    const said = await room.withVault((vault) => vaultStatus(vault, room.clock.now()))
    expect(said.text).toMatch(/Prepared revocation 1 for eu-one, 2 keys, until 2026-06-04: ready\./)
    expect(preparedRevocations(ran.state, room.clock.now() + 91 * DAY)).toMatchObject([
      { standing: 'void', note: 'It expired.' },
    ])
  })

  it('is void once the root was changed: the ceremony says so, until one is prepared anew', async () => {
    const room = open()
    await room.run(PREPARE)
    const { result, state } = await room.run({ kind: 'root-rotate', reason: 'Yearly', compromised: false })
    expect(result.steps.map(({ observed }) => observed).join()).toMatch(/prepared revocation 1 for eu-one/)
    expect(preparedRevocations(state, room.clock.now())).toMatchObject([{ standing: 'void' }])
    const again = await room.run(PREPARE)
    expect(preparedRevocations(again.state, room.clock.now()).map(({ standing }) => standing)).toEqual([
      'void',
      'ready',
    ])
    const later = await room.run({ kind: 'root-rotate', reason: 'Yearly', compromised: false })
    expect(later.result.steps.map(({ observed }) => observed).join()).toMatch(/prepared revocation 1 for eu-one, 2 for/)
  })

  it('of one key names that key alone', async () => {
    const room = open()
    const kid = signing(await room.state(), 'globex')
    const revoke = { reason: 'Prepared', keys: [kid] }
    const { state } = await room.run({ ...PREPARE, tenants: 'all', revoke })
    expect(signedFor(state)[0]).toMatchObject({ keys: [kid], standbys: [] })
  })

  it.each<[string, object, string]>([
    ['a tenant that this runtime never had', { tenants: ['initech'] }, 'never handed over'],
    ['a key that it never had', { revoke: { reason, keys: [digest('nothing')] } }, 'is not in use'],
  ])('refuses %s', async (_, change, words) => {
    const room = open()
    await room.onboard(tenantPlan('initech'))
    expect((await room.refused({ ...PREPARE, ...change }, 'ceremony-conflict')).message).toContain(words)
  })

  it.each<[string, object]>([
    ['for longer than two years', { validFor: '731d' }],
    ['for less than an hour', { validFor: '5m' }],
    ['with a reason of two lines', { revoke: { reason: 'one\ntwo' } }],
  ])('refuses one %s', async (_, change) => {
    expect((await failure(open().run({ ...PREPARE, ...change }))).code).toBe('plan-invalid')
  })
})

describe('from the vault to a real runtime and back', () => {
  /** eu-one as it was five days ago, with its bundle. */
  async function served() {
    const room = genesis.room()
    await room.onboard(tenantPlan('acme'), tenantPlan('globex'))
    const at = await room.runtime()
    await room.handoff(at)
    await room.intake(at)
    room.clock.advance(80 * DAY)
    await at.runtime.tick()
    return { room, at }
  }
  const kidsOf = async ({ runtime }: TestRuntime, tenant: string, now: number) => {
    const service = await runtime.find(`${tenant}.example.com`, '')
    const jws = await service?.signedSet(now)
    const signed = JSON.parse(Buffer.from(jws?.split('.')[1] ?? '', 'base64url').toString()).keys
    const kids = (keys: { kid?: string }[]) => keys.map(({ kid }) => kid)
    return { published: kids(service?.published(now).keys ?? []), signed: kids(signed) }
  }

  it('the file alone stops the key; a second emergency also says what the first said; receipts bring it all home', async () => {
    const { room, at } = await served()
    const [first, second, third] = keysOf(await room.state(), 'acme').map(({ kid }) => kid)
    const now = room.clock.now()
    expect((await kidsOf(at, 'acme', now)).published).toEqual([first, second])
    await room.run(emergency(first ?? ''))
    const [one = ''] = revocationsIn(room)
    await room.run(emergency(second ?? ''))
    const [two = ''] = revocationsIn(room)
    expect((await linesOf(room, two)).lines[0]?.revoke.toSorted()).toEqual([first, second].toSorted())
    await at.runtime.importRevocation(two, 'night shift')
    expect(await kidsOf(at, 'acme', room.clock.now())).toEqual({ published: [], signed: [] })
    expect((await failure(at.runtime.importRevocation(one, 'night shift'))).code).toBe('revocation-lower')

    const { state } = await room.intake(at)
    const said = lifeOf(state, second ?? '', room.clock.now()).moments.map(({ what }) => what)
    expect(said).toContain('eu-one: never signs again and is not published, by revocation 2')
    expect(said).toContain('eu-one: private half erased (tainted)')
    await room.handoff(at)
    const after = await kidsOf(at, 'acme', room.clock.now())
    expect(after.signed).toEqual(after.published)
    expect(after.published).not.toContain(first)
    expect((await room.state()).keys.has(third ?? '')).toBe(true)
    expect((await room.verify()).tail).toBeNull()
    await at.runtime.close()
  })

  it('what was used of a prepared one goes into every later one, until a bundle says so', async () => {
    const { room, at } = await served()
    const [first, second] = keysOf(await room.state(), 'acme').map(({ kid }) => kid)
    await room.run({ ...PREPARE, revoke: { reason: 'Prepared', keys: [first] } })
    await at.runtime.importRevocation(revocationsIn(room)[0] ?? '', 'night shift')
    const taken = await room.intake(at)
    expect(preparedRevocations(taken.state, room.clock.now())).toMatchObject([{ standing: 'used' }])
    await room.run(emergency(second ?? ''))
    const [path = ''] = revocationsIn(room)
    expect((await linesOf(room, path)).lines[0]?.revoke.toSorted()).toEqual([first, second].toSorted())
    await room.run(emergency(first ?? ''))
    await room.handoff(at)
    await room.intake(at)
    await room.refused(emergency(first ?? ''), 'ceremony-conflict')
    await at.runtime.close()
  })

  it('a revocation that this vault never signed shows that a newer copy of it is in use', async () => {
    const { room, at } = await served()
    const older = room.copy(genesis.folder())
    await room.run(emergency(signing(await room.state(), 'acme')))
    await at.runtime.importRevocation(revocationsIn(room)[0] ?? '', 'ops')
    const { path } = await at.runtime.exportReceipts(older.media)
    const plan = { kind: 'intake', runtime: 'eu-one', receipts: basename(path) }
    older.clock.to(room.clock.now())
    expect((await older.refused(plan, 'vault-rolled-back')).message).toContain('revocation 1')
    await at.runtime.close()
  })

  it('"issuer import" takes it by what it says of itself, and "bundle inspect" shows it', async () => {
    const { room, at } = await served()
    const kid = signing(await room.state(), 'acme')
    await room.run({ ...emergency(kid), validFor: '9000d' })
    const [path = ''] = revocationsIn(room)
    const anchor = join(room.media, filesOf(room.media).find((name) => name.startsWith('trust-anchor-')) ?? '')
    const inspected = await keyrite(['bundle', 'inspect', path, '--trust-anchor', anchor])
    expect(inspected.stdout).toContain(`${kid} never signs again`)
    expect(inspected.stdout).toContain('Signed by the root of this trust anchor.')
    expect((await keyrite(['bundle', 'inspect', path])).stdout).toContain('NOT verified')
    expect((await keyrite(['verify', path, '--trust-anchor', anchor])).stdout).toMatch(/verified\s+revocation/)
    expect((await keyrite(['verify', path])).status).toBe(3)
    await at.runtime.close()
    const take = ['issuer', 'import', path, '--dir', at.dir, '--actor', 'night shift']
    // By the clock of this machine nobody served for months.
    expect((await keyrite([...take, '--json'])).stdout).toContain('clock-refused')
    await keyrite(['issuer', 'clock', 'confirm', '--dir', at.dir])
    expect((await keyrite(take)).stdout).toMatch(/1 key of 1 tenant is never used again here/)
    expect((await keyrite(take)).stdout).toMatch(/was taken before/)
  })
})

describe('what a runtime states of it', () => {
  it('stands in the life of each of its keys, and a prepared one counts as used', async () => {
    const room = open()
    const { state } = await room.run(PREPARE)
    const [signed] = signedFor(state)
    const kid = signed?.keys[0] ?? ''
    const stated = {
      type: 'revoked',
      id: signed?.id,
      order: 1,
      digest: signed?.file?.statement,
      tenants: 1,
      keys: 2,
      actor: 'ops',
    }
    state.runtimes.get('eu-one')?.receipts.statements.push({ seq: 9, at: room.clock.now(), stated })
    const moments = lifeOf(state, kid, room.clock.now()).moments.map(({ what }) => what)
    expect(moments).toContain('eu-one: never signs again and is not published, by revocation 1')
    const other = lifeOf(state, signing(state, 'globex'), room.clock.now()).moments.map(({ what }) => what)
    expect(other.join()).not.toContain('revocation')
    expect(preparedRevocations(state, room.clock.now())).toMatchObject([
      { standing: 'used', note: expect.stringContaining('emergency ceremony') },
    ])
  })

  it('a prepared one is void once a later one was taken', async () => {
    const room = open()
    await room.run(PREPARE)
    const { state } = await room.run(emergency(signing(await room.state(), 'globex')))
    const later = signedFor(state)[1]
    const stated = { type: 'revoked', id: later?.id, order: 2 }
    state.runtimes.get('eu-one')?.receipts.statements.push({ seq: 9, at: room.clock.now(), stated })
    expect(preparedRevocations(state, room.clock.now())).toMatchObject([
      { standing: 'void', note: 'Revocation 2 was taken after it was made.' },
    ])
  })
})
