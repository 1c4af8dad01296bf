import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readConfig, readStorageKey, storageKeyPath } from '../../electron/issuer/config.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { Sealer } from '../../electron/issuer/sealing.ts'
import { openDatabase } from '../../electron/sqlite/database.ts'
import { codeOf, filesIn, stateOf } from './fixtures.ts'
import { hot, kidOf, servedBy, serving, signerOf, standbyOf, two } from './revoking.ts'

/** The blast-radius drill: on a copy, what one tenant's emergency does to it, and not to anybody else. */

const filesOf = (dir: string): Record<string, string> =>
  Object.fromEntries(
    filesIn(dir)
      // The shared memory of the write-ahead log belongs to whoever has the store open.
      .filter((name) => !name.endsWith('-shm') && name !== 'drill.lock')
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(dir, name)))
          .digest('hex'),
      ]),
  )

describe('a drill', () => {
  it('shows every other tenant unchanged byte for byte, their tokens verified and the tenant’s own refused', async () => {
    const [acme, beta, gamma] = [hot('acme'), two('beta'), hot('gamma')]
    const made = await serving([acme, beta, gamma])
    const report = await made.runtime.drill('acme')
    expect(report).toMatchObject({
      tenant: 'acme',
      refused: { of: 1, refused: 1 },
      unsigned: [],
      others: { tenants: 2, changed: [], tokens: { signed: 2, verified: 2 } },
      held: true,
    })
    expect(report.tainted.map(({ kid, standbys }) => [kid, standbys])).toEqual([[kidOf(acme, 0), [standbyOf(acme)]]])
    expect(report.residualUntil).toBe(report.tainted[0]?.residualUntil)
  })

  it('leaves the real store as it was, file for file, with nothing beside it, and says its digest', async () => {
    const acme = two('acme')
    const made = await serving([acme, two('beta')])
    const before = [filesOf(made.dir), await stateOf(made.runtime)]
    const report = await made.runtime.drill('acme')
    expect([filesOf(made.dir), await stateOf(made.runtime)]).toEqual(before)
    expect(report.store.after).toBe(report.store.before)
    expect(report.unsigned).toEqual(['ES256'])
    expect(await signerOf(made, 'acme')).toBe(kidOf(acme, 0))
    expect(await servedBy(made, 'acme')).toContain(kidOf(acme, 0))
    await made.runtime.taint('beta', (await signerOf(made, 'beta')) ?? '', { withdraw: false, actor: 'ops' })
    expect((await made.runtime.drill('acme')).store.before).not.toBe(report.store.before)
  })

  it('of a tenant for which nobody signs says so; what another process does meanwhile shows in the digests', async () => {
    const made = await serving([two('acme'), two('beta'), two('gamma')])
    await made.runtime.taintTenant('acme', { withdraw: true, actor: 'ops' })
    const other = await openRuntime({ dir: made.dir, clock: made.clock })
    let disturbed: Promise<unknown> | null = null
    const report = await made.runtime.drill('acme', (stage) => {
      if (stage === 'after') disturbed ??= other.assign('beta', 'Beta Ltd', 'ops')
    })
    await disturbed
    expect(report).toMatchObject({ tainted: [], refused: { of: 0, refused: 0 }, unsigned: ['ES256'], held: true })
    expect(report.others).toMatchObject({ tenants: 2, tokens: { signed: 2, verified: 2 } })
    expect((await made.runtime.drill('acme')).store.before).not.toBe(report.store.before)
    await other.close()
  })

  it('of nobody is tenant-unknown, and nothing lies about afterwards', async () => {
    const made = await serving([two('acme')])
    const before = filesOf(made.dir)
    expect(await codeOf(() => made.runtime.drill('nobody'))).toBe('tenant-unknown')
    expect(filesOf(made.dir)).toEqual(before)
  })

  it('removes the copy of one that was ended by force, and two at once are refused', async () => {
    const made = await serving([two('acme'), two('beta')])
    const before = filesOf(made.dir)
    mkdirSync(join(made.dir, '.drill-0123'))
    writeFileSync(join(made.dir, '.drill-0123', 'store.db'), 'a copy')
    const codes: Promise<string | null>[] = []
    await made.runtime.drill('acme', () => {
      if (codes.length === 0) codes.push(codeOf(() => made.runtime.drill('beta')))
    })
    expect(await Promise.all(codes)).toEqual(['store-busy'])
    expect(filesOf(made.dir)).toEqual(before)
  })

  it('would show another tenant that a taint reached: the comparison is over what is really served', async () => {
    const [acme, beta] = [two('acme'), two('beta')]
    const made = await serving([acme, beta])
    const kid = kidOf(beta, 0)
    // What a defect of isolation would do.
    const reached = await made.runtime.drill('acme', (stage, done) => {
      if (stage === 'before' && done === 2) spoilCopy(made.dir, kid)
    })
    expect(reached.held).toBe(false)
    expect(reached.others.changed).toEqual([{ tenant: 'beta', what: ['jwks.json', 'jwks.jwt', 'signers'] }])
    expect(reached.others.tokens).toEqual({ signed: 1, verified: 0 })
  })
})

/** Withdraws a key in the copy that a drill works on. */
function spoilCopy(dir: string, kid: string): void {
  const copy = filesIn(dir).find((name) => name.startsWith('.drill-')) ?? ''
  const config = readConfig(dir)
  const { fileKey } = new Sealer(readStorageKey(storageKeyPath(dir, config)), config)
  const db = openDatabase({ path: join(dir, copy, 'store.db'), key: fileKey, profile: 'store', what: 'copy' })
  db.prepare('UPDATE keys SET tainted = 1, withdrawn = 1 WHERE kid = ?').run(kid)
  db.close()
}
