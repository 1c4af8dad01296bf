import { describe, expect, it } from 'vitest'
import { canonicalText } from '../../shared/formats/json.ts'
import { checkIssuerUrl, isTenantId } from '../../shared/formats/tenant-id.ts'
import {
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

const IDS = [
  '..',
  '.',
  '',
  '%2f',
  'a%2fb',
  'a/b',
  'a\\b',
  'a\u0000b',
  '\u0000',
  'аcme',
  'acmé',
  'ＡＣＭＥ',
  'Acme',
  'CON',
  'con',
  'aux',
  'nul',
  'com1',
  'lpt9',
  'constructor',
  'prototype',
  '__proto__',
  'root',
  'keyrite',
  'a--b',
  '-a',
  'a-',
  '1a',
  'a b',
  'a\n',
  "a'--",
  'a'.repeat(64),
]

describe('fault 21, tenant ids', () => {
  it.each(IDS.map((id) => [id]))('%j is no tenant id', (id) => {
    expect(isTenantId(id)).toBe(false)
  })

  it('1 to 63 letters, digits and single hyphens are', () => {
    for (const id of ['a', 'acme', 'a-1', 'a1-b2-c3', 'a'.repeat(63)]) expect(isTenantId(id), id).toBe(true)
  })

  it.each(IDS.map((id) => [id]))(
    'a bundle of the real root for the tenant %j is refused, the store unchanged',
    async (id) => {
      const vault = await makeVault()
      const { runtime, folder } = await makeRuntime(vault)
      const before = await stateOf(runtime)
      const line = await signSlots(vault, entryOf(makeTenant('acme')))
      const { bundle } = await rawBundle(vault, folder, [canonicalText({ ...line, tenant: id })])
      expect(await codeOf(() => runtime.importFiles([bundle]))).toBe('format-invalid')
      expect(await stateOf(runtime)).toBe(before)
      expect(await codeOf(() => runtime.clients.remove(id, 'x', 'test'))).toBe('tenant-unknown')
      expect(await codeOf(() => runtime.taint(id, 'A'.repeat(43), { withdraw: false, actor: 'test' }))).toBe(
        'tenant-unknown',
      )
    },
  )

  it('nothing is found under a location that only resembles an issuer', async () => {
    const { runtime } = await makeServing(await makeVault(), [
      makeTenant('acme', { issuer: 'https://id.example.com/t/acme' }),
    ])
    expect((await runtime.find('id.example.com', '/t/acme'))?.tenant).toBe('acme')
    for (const path of [
      '',
      '/',
      '/t/acme/',
      '/t/Acme',
      '/t/%61cme',
      '/t//acme',
      '/t/acme/../acme',
      '/t/ac',
      "/t/acme' OR '1'='1",
    ])
      expect(await runtime.find('id.example.com', path), path).toBeNull()
    for (const host of ['id.example.com.', 'ID.example.com', 'id.example.com:443', '', '__proto__'])
      expect(await runtime.find(host, '/t/acme'), host).toBeNull()
    expect(await runtime.find('', 'id.example.com/t/acme')).toBeNull()
    expect(await runtime.find('id.example.com/t', '/acme')).toBeNull()
  })

  it.each([
    ['http://acme.example.com'],
    ['https://acme.example.com/'],
    ['https://acme.example.com:8443'],
    ['https://a@acme.example.com'],
    ['https://acme.example.com?x=1'],
    ['https://acme.example.com#x'],
    ['https://acme.example.com/t/../x'],
    ['https://ACME.example.com'],
    ['https://acme.example.com/%2f'],
    ['ftp://acme.example.com'],
    ['https://аcme.example.com'],
    ['https://acme.example.com\r\n'],
    ['acme'],
    ['http://127.0.0.1:47770/t/acme'],
  ])('the issuer URL %j is refused in production', async (issuer) => {
    expect(await codeOf(() => checkIssuerUrl(issuer, false))).toBe('issuer-url-invalid')
    const vault = await makeVault()
    const { runtime, folder } = await makeRuntime(vault)
    const before = await stateOf(runtime)
    const line = await signSlots(vault, { ...entryOf(makeTenant('acme')), issuer })
    const { bundle } = await rawBundle(vault, folder, [canonicalText(line)])
    expect(await codeOf(() => runtime.importFiles([bundle]))).toBe('issuer-url-invalid')
    expect(await stateOf(runtime)).toBe(before)
  })

  it('an issuer that changes, or that belongs to another tenant, is refused', async () => {
    const vault = await makeVault()
    const acme = makeTenant('acme')
    const { runtime, folder, first } = await makeServing(vault, [acme])
    const before = await stateOf(runtime)
    const moved = await makeHandoff(vault, folder, [{ ...acme, issuer: 'https://other.example.com' }], {
      previous: first,
    })
    expect(await codeOf(() => runtime.importFiles([moved.bundle]))).toBe('bundle-refused')
    const beta = makeTenant('beta', { issuer: acme.issuer })
    const thief = await makeHandoff(vault, folder, [beta], { previous: first })
    expect(await codeOf(() => runtime.importFiles([thief.bundle]))).toBe('bundle-refused')
    const gamma = makeTenant('gamma', { issuer: 'https://delta.example.com' })
    const pair = await makeHandoff(vault, folder, [gamma, makeTenant('delta')], { previous: first })
    expect(await codeOf(() => runtime.importFiles([pair.bundle]))).toBe('bundle-refused')
    expect(await stateOf(runtime)).toBe(before)
  })
})
