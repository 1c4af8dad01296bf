import { KeyObject } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openManifest } from '../../shared/formats/bundle.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import {
  codeOf,
  entryOf,
  type Handoff,
  makeHandoff,
  makeTenant,
  makeVault,
  pathsOf,
  rawBundle,
  signSlots,
  stateOf,
  temporaryFolder,
} from '../issuer/fixtures.ts'
import { attacksOn } from '../vectors/jose/attacks.ts'
import { respellings } from '../vectors/jose/signatures.ts'
import { compact, type Good } from '../vectors/jose/tokens.ts'
import { servedRuntime } from './served.ts'

/** Faults 13, 14, 15, 18, 19 and 20 while serving: a refused file changes nothing that anybody is served. */

type Served = Awaited<ReturnType<typeof servedRuntime>>
const NAMES = ['acme', 'beta']

/** Files that must be refused, with the codes they may be refused for; and then the server is as it was. */
async function refusedWhileServing(made: Served, codes: readonly string[], paths: readonly string[]): Promise<void> {
  const [state, served] = [await stateOf(made.runtime), await made.picture()]
  const asked = Promise.all([made.token('acme'), made.picture(), made.token('beta'), made.picture()])
  expect(codes).toContain(await codeOf(() => made.runtime.importFiles(paths)))
  const [first, during, second, after] = await asked
  expect([first.status, second.status]).toEqual([200, 200])
  expect([during, after, await made.picture()]).toEqual([served, served, served])
  expect(await stateOf(made.runtime)).toBe(state)
}

const next = (made: Served, manifest: object, folder = temporaryFolder()): Promise<Handoff> =>
  makeHandoff(made.vault, folder, made.tenants, { previous: made.first, manifest, transportKey: made.transportKey })

describe('files for somebody else, and out of turn', () => {
  it.each([
    ['another runtime', { runtimeId: 'us-one' }, 'audience-wrong'],
    ['another environment', { environment: 'staging' }, 'environment-wrong'],
    ['another vault', { vaultId: '3f3a0f52-6d0b-4c57-93a4-0f3b1a2c4d5e' }, 'vault-mismatch'],
    ['a number too high', { number: 3 }, 'bundle-gap'],
    ['another predecessor', { previous: 'A'.repeat(43) }, 'bundle-forked'],
    ['a time that is over', { iat: 1_700_000_000, exp: 1_700_000_001 }, 'file-expired'],
  ])('a bundle and material for %s', async (_what, manifest, code) => {
    const made = await servedRuntime(NAMES)
    await refusedWhileServing(made, [code], pathsOf(await next(made, manifest)))
  })

  it('a bundle of another root, and an older bundle', async () => {
    const made = await servedRuntime(NAMES)
    const foreign = { ...made, vault: await makeVault({ vaultId: made.vault.vaultId }) }
    const forged = await next(foreign, {})
    await refusedWhileServing(made, ['signature-invalid', 'vault-mismatch'], [forged.bundle])
    const second = await next(made, {})
    await made.runtime.importFiles([second.bundle])
    const older = await makeHandoff(made.vault, temporaryFolder(), made.tenants)
    await refusedWhileServing(made, ['bundle-lower', 'bundle-forked'], [older.bundle])
  })
})

describe('a bundle manifest under attack', () => {
  it('no known attack on its signature, and no other spelling, is taken; then the good one is', async () => {
    const made = await servedRuntime(NAMES)
    const [state, served] = [await stateOf(made.runtime), await made.picture()]
    const { bundle } = await next(made, {})
    const text = readFileSync(bundle, 'utf8')
    const [jws = ''] = text.split('\n', 1)
    const [header = '', payload = ''] = jws.split('.')
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
    const privateKey = KeyObject.from(made.vault.root.key)
    const good: Good = { alg: 'ES256', header: read(header), claims: read(payload), privateKey }
    const path = join(temporaryFolder(), 'attack.keyrite')
    const taken: string[] = []
    for (const [at, [what, attack]] of [...attacksOn(good), ...respellings(compact(good))].entries()) {
      if ((await codeOf(() => openManifest(attack, made.vault.key, false))) === null) taken.push(what)
      // A whole import writes to the disk: one in eight shows that the runtime asks the same.
      if (at % 8 > 0) continue
      writeFileSync(path, `${attack}${text.slice(jws.length)}`)
      if ((await codeOf(() => made.runtime.importFiles([path]))) === null) taken.push(what)
    }
    expect(taken).toEqual([])
    expect([await stateOf(made.runtime), await made.picture()]).toEqual([state, served])
    expect((await made.runtime.importFiles([bundle])).outcome).toBe('imported')
  })
})

describe('weak keys and hostile kids, under the real root', () => {
  it('none of them reaches what is served', async () => {
    const made = await servedRuntime(NAMES)
    const line = await signSlots(made.vault, entryOf(made.tenants[0] ?? makeTenant('acme')))
    const beta = canonicalText(await signSlots(made.vault, entryOf(made.tenants[1] ?? makeTenant('beta'))))
    const text = canonicalText(line)
    const kid = JSON.stringify(line.keys[0]?.kid)
    const spoiled: [string, readonly string[]][] = [
      [text.replace(/"x":"[^"]+"/, `"x":"${'A'.repeat(43)}"`), ['key-refused', 'format-invalid']],
      [text.replace(/"x":"/, '"d":"AAAA","x":"'), ['format-invalid', 'key-refused', 'json-invalid']],
      [text.replaceAll(kid, '"../../../dev/null"'), ['format-invalid']],
      [text.replaceAll(kid, '"x\'; DROP TABLE private_keys; --"'), ['format-invalid']],
      [text.replaceAll(kid, '"k\\r\\nSet-Cookie: a=b"'), ['format-invalid']],
      [text.replaceAll(kid, JSON.stringify(made.tenants[1]?.keys[0]?.kid)), ['format-invalid', 'bundle-refused']],
    ]
    for (const [acme, codes] of spoiled) {
      expect(acme).not.toBe(text)
      const { bundle } = await rawBundle(made.vault, temporaryFolder(), [acme, beta], { previous: made.first })
      await refusedWhileServing(made, codes, [bundle])
    }
  })
})
