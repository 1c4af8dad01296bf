import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readReceipts } from '../../electron/handoff/receipts.ts'
import { catchUpRuntime } from '../../electron/issuer/keeping/keeping.ts'
import { rotateStorageKey } from '../../electron/issuer/keeping/storage-key.ts'
import { openRuntime, type Runtime } from '../../electron/issuer/runtime.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { isKeyriteError } from '../../shared/errors.ts'
import {
  codeOf,
  makeHandoff,
  makeTenant,
  makeVault,
  pathsOf,
  RUNTIME_ID,
  type TestTenant,
  type TestVault,
  temporaryFolder,
} from '../issuer/fixtures.ts'
import { burn, configure, type Kept, makeKept, opened, REQUEST, restore, statedBy } from '../issuer/keeping.ts'

/** Serving with a client; and a backup of that. */
async function backedUp(tenants: TestTenant[] = [makeTenant('acme')]) {
  const vault = await makeVault()
  const made = await makeKept(vault, tenants)
  await made.runtime.clients.add('acme', REQUEST, 'test')
  const offer = await made.runtime.exportReceipts(made.folder)
  const backup = await made.runtime.backup(temporaryFolder(), 'test')
  return { ...made, vault, tenants, backup, offer: offer.path }
}
type BackedUp = Awaited<ReturnType<typeof backedUp>>

const keysOf = async (runtime: Runtime, tenant = 'acme') =>
  (await runtime.status()).tenants.find((one) => one.tenant === tenant)?.phases ?? []

async function refusal(dir: string, { clock }: Pick<Kept, 'clock'>): Promise<string> {
  try {
    await (await openRuntime({ dir, clock })).close()
    return 'opened'
  } catch (error) {
    if (!isKeyriteError(error)) throw error
    return `${error.code}: ${error.message}`
  }
}

/** The second handoff, to the transport key that was offered before the backup. */
async function second(vault: TestVault, made: BackedUp, tenants = made.tenants) {
  const signer = made.enrollment.receiptSigner
  const read = await readReceipts(made.offer, { signer, runtimeId: RUNTIME_ID, after: null, practice: false })
  if (!read.offered) throw new Error('no transport key')
  const iat = made.clock.now()
  const manifest = { iat, exp: iat + 30 * DAY }
  return makeHandoff(vault, made.folder, tenants, { previous: made.first, manifest, transportKey: read.offered })
}

describe('fault 32: a runtime restored from an older backup [refuses until taints, clock floor and receipts are back]', () => {
  it('without the second place it is restored and serves nothing; with it it goes on where it was', async () => {
    const made = await backedUp()
    const [key] = await keysOf(made.runtime)
    const kid = key?.kid ?? ''
    await made.runtime.taint('acme', kid, { withdraw: true, actor: 'Olga' })
    await made.runtime.clients.remove('acme', 'api', 'Olga')
    await made.runtime.clients.add('acme', { ...REQUEST, clientId: 'later' }, 'Olga')
    await made.runtime.assign('acme', 'Acme of Europe', 'Olga')
    made.clock.advance(3 * 60 * 60)
    await made.runtime.tick()
    const before = await made.runtime.status()
    const head = (await statedBy(made.runtime, made)).length
    await burn(made)

    const restored = await restore(made, made.backup.path, { without: true })
    expect(restored.caughtUp).toBeNull()
    expect(await refusal(restored.dir, made)).toMatch(/^runtime-behind: Nothing shows that this store is the newest/)
    const caught = await catchUpRuntime(restored.dir, made.place, 'Olga')
    expect(caught).toMatchObject({ to: head, erased: 1, bundle: null })

    const runtime = await opened({ dir: restored.dir, clock: made.clock })
    const after = await runtime.status()
    expect(after.tenants).toEqual(before.tenants)
    expect(after.tenants[0]?.name).toBe('Acme of Europe')
    expect((await keysOf(runtime)).find((one) => one.kid === kid)).toMatchObject({
      tainted: true,
      withdrawn: true,
      hasPrivate: false,
    })
    expect((await runtime.clients.list()).map(({ client }) => client.clientId)).toEqual(['later'])
    expect(runtime.now()).toBe(made.clock.now())
    const service = await runtime.find('acme.example.com', '')
    expect((await service?.signer('ES256', runtime.now()))?.kid).not.toBe(kid)
    expect((await runtime.keeping()).secondPlace).toEqual({ folder: made.place, behindSince: null })
  })

  it('the time never goes back: a clock that was set back meanwhile stands still', async () => {
    const made = await backedUp()
    made.clock.advance(5 * DAY)
    await made.runtime.tick()
    await made.runtime.confirmClock('test')
    const time = made.runtime.now()
    await burn(made)
    const { dir } = await restore(made, made.backup.path)
    made.clock.jump(-5 * DAY)
    expect((await opened({ dir, clock: made.clock })).now()).toBe(time)
  })

  it('bundle 2 was imported since: nothing is served until exactly that one was imported again', async () => {
    const made = await backedUp([makeTenant('acme'), makeTenant('globex')])
    const two = await second(made.vault, made, [...made.tenants, makeTenant('initech')])
    await made.runtime.importFiles(pathsOf(two))
    const [key] = await keysOf(made.runtime, 'initech')
    const kid = key?.kid ?? ''
    await made.runtime.taint('initech', kid, { withdraw: false, actor: 'Olga' })
    await made.runtime.clients.add('initech', REQUEST, 'Olga')
    await made.runtime.tick()
    const before = await made.runtime.status()
    const taken = await statedBy(made.runtime, made)
    await burn(made)

    const { dir, caughtUp } = await restore(made, made.backup.path)
    expect(caughtUp?.bundle).toBe(2)
    expect(await refusal(dir, made)).toMatch(/^runtime-behind: .*bundle 2 was imported since/)
    const forked = await makeHandoff(made.vault, temporaryFolder(), made.tenants, {
      previous: made.first,
      manifest: { exp: made.clock.now() + DAY },
    })
    const importing = async (paths: string[]) => {
      const runtime = await openRuntime({ dir, clock: made.clock, awaiting: true })
      return codeOf(() => runtime.importFiles(paths)).finally(() => runtime.close())
    }
    expect(await importing([forked.bundle])).toBe('bundle-forked')
    expect(await importing([two.bundle])).toBeNull()
    expect(await refusal(dir, made)).toMatch(/^runtime-behind: .*the key material of bundle 2/)
    expect(await importing([two.material ?? ''])).toBeNull()

    const runtime = await opened({ dir, clock: made.clock })
    await runtime.tick()
    const after = await runtime.status()
    expect(after.tenants).toEqual(before.tenants)
    expect((await keysOf(runtime, 'initech'))[0]).toMatchObject({ kid, tainted: true, hasPrivate: false })
    expect(await runtime.clients.list('initech')).toHaveLength(1)
    const stated = await statedBy(runtime, made)
    expect(stated.slice(0, taken.length)).toEqual(taken)
    const since = stated.slice(taken.length).map(({ type }) => type)
    expect(since).toContain('restored')
    expect(since).toContain('imported')
    expect(since).toContain('transport-key-erased')
    expect(await importing([two.material ?? ''])).toBeNull()
  })

  it('a bundle that came without the material for a transport key of the backup is enough by itself', async () => {
    const made = await backedUp()
    const manifest = { iat: made.clock.now(), exp: made.clock.now() + DAY }
    const two = await makeHandoff(made.vault, made.folder, made.tenants, { previous: made.first, manifest })
    await made.runtime.importFiles(pathsOf(two))
    await made.runtime.rejectTokens('acme', made.clock.now() - 60, 'test')
    await burn(made)
    const { dir } = await restore(made, made.backup.path)
    const importing = await openRuntime({ dir, clock: made.clock, awaiting: true })
    await importing.importFiles([two.bundle])
    await importing.close()
    const runtime = await opened({ dir, clock: made.clock })
    const service = await runtime.find('acme.example.com', '')
    expect(service?.rejectIssuedBefore).toBe(made.clock.now() - 60)
  })

  it('fault 23: a private half that was erased since never comes back, and the vault hears that it is erased again', async () => {
    const made = await backedUp()
    const [key] = await keysOf(made.runtime)
    made.clock.to((key?.extendUntil ?? 0) + DAY)
    await made.runtime.confirmClock('test')
    await made.runtime.tick()
    expect((await keysOf(made.runtime))[0]?.hasPrivate).toBe(false)
    await burn(made)
    const { dir, caughtUp } = await restore(made, made.backup.path)
    expect(caughtUp?.erased).toBe(1)
    const runtime = await opened({ dir, clock: made.clock })
    expect((await keysOf(runtime))[0]?.hasPrivate).toBe(false)
    const stated = await statedBy(runtime, made)
    const restoredAt = stated.findIndex(({ type }) => type === 'restored')
    expect(stated[restoredAt]).toMatchObject({ type: 'restored', backup: made.backup.digest })
    expect(stated[restoredAt + 1]).toEqual({ type: 'erased', tenant: 'acme', kid: key?.kid, reason: 'retired' })
  })

  it.each([
    ['changed in the middle', (bytes: Buffer) => bytes.fill(0x41, bytes.length / 2, bytes.length / 2 + 4)],
    ['of another runtime', (bytes: Buffer) => bytes.write('us-one', bytes.indexOf('eu-one'))],
  ])('a journal %s: nothing is restored', async (_what, spoil) => {
    const made = await backedUp()
    await made.runtime.clients.remove('acme', 'api', 'test')
    await burn(made)
    const path = join(made.place, 'eu-one.journal')
    const bytes = readFileSync(path)
    spoil(bytes)
    writeFileSync(path, bytes)
    expect(await codeOf(() => restore(made, made.backup.path))).toMatch(/^(?:second-place-damaged|audience-wrong)$/)
  })

  it('a lost mark: nothing is restored, because nothing shows how far time had come', async () => {
    const made = await backedUp()
    await burn(made)
    const place = temporaryFolder()
    writeFileSync(join(place, 'eu-one.journal'), readFileSync(join(made.place, 'eu-one.journal')))
    expect(await codeOf(() => restore({ ...made, place }, made.backup.path))).toBe('second-place-damaged')
    expect(await codeOf(() => restore({ ...made, place: temporaryFolder() }, made.backup.path))).toBe('file-missing')
  })

  it('a second place that ends before the backup shows nothing, and a new storage key does not help', async () => {
    const made = await backedUp()
    const older = temporaryFolder()
    cpSync(made.place, older, { recursive: true })
    await made.runtime.tick()
    await made.runtime.clients.remove('acme', 'api', 'test')
    const backup = await made.runtime.backup(made.folder, 'test')
    await burn(made)
    expect(await codeOf(() => restore({ ...made, place: older }, backup.path))).toBe('runtime-behind')
    const { dir } = await restore(made, backup.path, { without: true })
    configure(dir, { secondPlace: older })
    expect(await refusal(dir, made)).toMatch(/^runtime-behind/)
    expect(await codeOf(() => catchUpRuntime(dir, older, 'test'))).toBe('runtime-behind')
    expect(await codeOf(() => rotateStorageKey({ dir, actor: 'test' }))).toBe('runtime-behind')
    expect(await refusal(dir, made)).toMatch(/^runtime-behind/)
    await catchUpRuntime(dir, made.place, 'test')
    expect(await refusal(dir, made)).toBe('opened')
  })

  it('restored twice: the one that falls behind the other is told, and refused', async () => {
    const made = await backedUp()
    await burn(made)
    const one = await restore(made, made.backup.path)
    const two = await restore(made, made.backup.path)
    expect(await refusal(one.dir, made)).toMatch(/^runtime-behind: .*receipt \d+ is missing/)
    const runtime = await opened({ dir: two.dir, clock: made.clock })
    await runtime.clients.remove('acme', 'api', 'test')
    expect(readdirSync(made.place).sort()).toEqual(['eu-one.journal', 'eu-one.mark'])
  })
})
