import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type App, createApp } from '../../electron/app/app.ts'
import { parseEvidence } from '../../shared/formats/evidence.ts'
import { call } from './table.ts'

/** Keys and copies, isolation, controls and the audit pack of the ready practice vault. */

vi.mock('../../electron/vault/kdf.ts', () => import('../faults/harness/cheap-kdf.ts'))

let app: App
let home = ''

beforeAll(async () => {
  app = await createApp({ home: '', practice: true, shell: 'browser', networks: () => [] })
  const hello = await call(app, 'hello', {})
  home = hello.home
  const ada = hello.practice?.people.find(({ id }) => id === 'ada')
  const folder = hello.practice?.folder ?? ''
  await call(app, 'openVault', { folder, person: 'ada', passphrase: ada?.passphrase ?? '' })
})
afterAll(() => app.close())

describe('keys and copies', () => {
  it('every key with its phase, NIST state and each known copy', async () => {
    const { keys } = await call(app, 'keys', {})
    const of = (tenant: string) => keys.filter((key) => key.tenant === tenant).map(({ phase, state }) => [phase, state])
    expect(of('acme')).toEqual([
      ['removed', 'destroyed'],
      ['removed', 'deactivated'],
      ['signing', 'active'],
    ])
    expect(of('northwind')[0]).toEqual(['removed', 'destroyed'])
    expect(keys.filter(({ standby }) => standby).map(({ tenant }) => tenant)).toEqual(['contoso'])
    const gone = keys.find(({ state, tenant }) => state === 'destroyed' && tenant === 'acme')
    expect(gone?.certificate).toMatchObject({ grade: 'deletion' })
    expect(Object.fromEntries(gone?.copies.map(({ id, status }) => [id, status]) ?? [])).toEqual({
      vault: 'verified',
      'file:issuer-east:1': 'stated',
      'runtime:issuer-east': 'stated',
      'backup:1': 'open',
      medium: 'open',
    })
    expect(
      keys.every(({ copies, openCopies }) => copies.filter((one) => one.status === 'open').length === openCopies),
    ).toBe(true)
  })
})

describe('isolation', () => {
  it('says what was compared, and that nothing is shared', async () => {
    const { tenants, shared, checked } = await call(app, 'isolation', {})
    expect(tenants).toHaveLength(5)
    expect(shared).toEqual([])
    expect(checked[1]).toMatch(/^13 keys, destroyed ones too/)
    expect(checked.at(-1)).toMatch(/No token was tried/)
  })
})

describe('controls', () => {
  it('each names what this vault shows, and what stays open makes it less than shown', async () => {
    const { controls } = await call(app, 'controls', {})
    const met = (framework: string, name: string) =>
      controls.find((one) => one.framework.startsWith(framework) && one.control === name)?.met
    expect(met('NIST SP 800-57', '8.1.5')).toBe('shown')
    expect(met('NIST SP 800-57', '8.3.4')).toBe('partly')
    expect(met('NIST SP 800-57', '5.5')).toBe('not shown')
    expect(met('NIST SP 800-88', '4.7')).toBe('partly')
    expect(met('ISO/IEC 27001', 'A.8.24')).toBe('shown')
    expect(met('SOC 2', 'CC6.1')).toBe('shown')
    // Emil was not there when the quorum secret was drawn anew.
    expect(met('PCI DSS', '3.7.8')).toBe('partly')
    expect(controls.every(({ evidence }) => evidence.length > 0 && evidence.every((line) => line.endsWith('.')))).toBe(
      true,
    )
  })
})

describe('the audit pack', () => {
  it('is signed by whoever looks, names what is missing, and holds against the vault', async () => {
    const { folder, files, missing } = await call(app, 'buildEvidence', {})
    expect(folder.startsWith(join(home, 'evidence'))).toBe(true)
    expect(files).toEqual(['SHA256SUMS', 'evidence.html', 'evidence.json'])
    expect(missing.map((line) => line.split(':')[0])).toContain('Isolation matrix')
    const { evidence, signatures } = parseEvidence(readFileSync(join(folder, 'evidence.json')))
    expect(Object.keys(signatures)).toEqual(['ada'])
    expect(evidence.tenants).toHaveLength(5)
    const report = await call(app, 'verify', { what: { path: folder }, anchor: null })
    expect(report.failed).toBe(0)
    const said = report.files.find(({ file }) => basename(file) === 'evidence.json')
    // One person's word is no quorum's.
    expect(said?.standing).toBe('consistent')
    expect(said?.facts.join(' ')).toContain('It is the word of one person')
  })

  it('changed afterwards, it fails', async () => {
    const [name = ''] = readdirSync(join(home, 'evidence'))
    const path = join(home, 'evidence', name, 'evidence.json')
    writeFileSync(path, readFileSync(path, 'utf8').replace('Safe in the harbour office', 'Safe in another office'))
    const report = await call(app, 'verify', { what: { path: join(home, 'evidence', name) }, anchor: null })
    expect(report.files.find(({ file }) => file === path)?.standing).toBe('failed')
  })
})
