import { describe, expect, it } from 'vitest'
import { canonicalText } from '../../shared/formats/json.ts'
import {
  alarmsOf,
  codeOf,
  entryOf,
  makeHandoff,
  makeRuntime,
  makeServing,
  makeTenant,
  makeVault,
  rawBundle,
  signSlots,
  stateOf,
} from '../issuer/fixtures.ts'

const HOSTILE: [string, string][] = [
  ['SQL', "x'; DROP TABLE keys; --"],
  ['CRLF', 'kid\r\nSet-Cookie: a=b'],
  ['__proto__', '__proto__'],
  ['constructor', 'constructor'],
  ['a path', '../../etc/passwd'],
  ['an empty string', ''],
  ['a megabyte', 'A'.repeat(1_000_000)],
  ['NUL', `${'A'.repeat(42)}\u0000`],
  ['another thumbprint', 'A'.repeat(43)],
]

describe('fault 20, kid collisions and hostile kids', () => {
  it.each(HOSTILE)('a kid that is %s is refused, the store unchanged', async (_what, kid) => {
    const vault = await makeVault()
    const { runtime, folder } = await makeRuntime(vault)
    const before = await stateOf(runtime)
    const line = await signSlots(vault, entryOf(makeTenant('acme')))
    const good = line.keys[0]?.kid ?? ''
    const spoiled = canonicalText(line).replaceAll(JSON.stringify(good), JSON.stringify(kid))
    const { bundle } = await rawBundle(vault, folder, [spoiled])
    expect(await codeOf(() => runtime.importFiles([bundle]))).toBe('format-invalid')
    expect(await stateOf(runtime)).toBe(before)
    expect(await codeOf(async () => await runtime.taint('acme', kid, { withdraw: true, actor: 'test' }))).toBe(
      'tenant-unknown',
    )
  })

  it.each(HOSTILE)('tainting a key by %s names no key and changes nothing', async (_what, kid) => {
    const { runtime } = await makeServing(await makeVault(), [makeTenant('acme')])
    const before = await stateOf(runtime)
    expect(await codeOf(async () => await runtime.taint('acme', kid, { withdraw: true, actor: 'test' }))).toBe(
      'key-unknown',
    )
    expect(await stateOf(runtime)).toBe(before)
  })

  it('one key under two tenants of the same bundle is refused, with an alarm', async () => {
    const vault = await makeVault()
    const made = await makeRuntime(vault)
    const before = await stateOf(made.runtime)
    const acme = makeTenant('acme')
    const beta = makeTenant('beta', { keys: acme.keys, secrets: acme.secrets })
    beta.keys = acme.keys
    const { bundle } = await makeHandoff(vault, made.folder, [acme, beta])
    expect(await codeOf(() => made.runtime.importFiles([bundle]))).toBe('bundle-refused')
    expect(await stateOf(made.runtime)).toBe(before)
    expect(await alarmsOf(made)).toEqual(['bundle-refused'])
  })

  it('one key under another tenant than in an earlier bundle is refused, even after the first tenant let it go', async () => {
    const vault = await makeVault()
    const acme = makeTenant('acme')
    const { runtime, folder, first } = await makeServing(vault, [acme])
    const before = await stateOf(runtime)
    const beta = makeTenant('beta')
    beta.keys = acme.keys
    const second = await makeHandoff(vault, folder, [beta], { previous: first })
    expect(await codeOf(() => runtime.importFiles([second.bundle]))).toBe('bundle-refused')
    expect(await stateOf(runtime)).toBe(before)
  })

  it('the same kid twice in one tenant is refused', async () => {
    const vault = await makeVault()
    const { runtime, folder } = await makeRuntime(vault)
    const line = await signSlots(vault, entryOf(makeTenant('acme')))
    const twice = { ...line, keys: [...line.keys, ...line.keys.slice(0, 1)] }
    const { bundle } = await rawBundle(vault, folder, [canonicalText(twice)])
    const before = await stateOf(runtime)
    expect(await codeOf(() => runtime.importFiles([bundle]))).toBe('format-invalid')
    expect(await stateOf(runtime)).toBe(before)
  })
})
