import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { SqliteStore } from '../../electron/issuer/store/sqlite.ts'
import { temporaryFolder } from '../issuer/fixtures.ts'
import { kidOf, revocation, servedBy, serving, signedBy, signerOf, statedBy, two } from '../issuer/revoking.ts'

/** Fault 1 at the runtime: the power is cut while a revocation is taken. */

describe('killed in between', () => {
  it('either nothing of it counts and it can be taken again, or all of it does and the rest is made up for', async () => {
    const acme = two('acme')
    const made = await serving([acme])
    const path = await revocation(made.vault, [{ tenant: acme, revoke: [kidOf(acme, 0), kidOf(acme, 1)] }])
    const copies: string[] = []
    const keep = () => {
      const to = join(temporaryFolder(), 'copy')
      cpSync(made.dir, to, { recursive: true })
      copies.push(to)
    }
    // What a power cut would leave after each commit.
    const change = SqliteStore.prototype.change
    SqliteStore.prototype.change = async function kept<T>(this: SqliteStore, work: never): Promise<T> {
      const done = (await change.call(this, work)) as T
      keep()
      return done
    }
    try {
      await made.runtime.importRevocation(path, 'ops')
    } finally {
      SqliteStore.prototype.change = change
    }
    expect(copies.length).toBeGreaterThan(3)
    const seen: string[] = []
    for (const dir of copies) {
      const runtime = await openRuntime({ dir, clock: made.clock })
      onTestFinished(() => runtime.close())
      await runtime.tick()
      const { vault, enrollment } = made
      const one = { runtime, vault, enrollment }
      const signer = await signerOf(one, 'acme')
      const taken = (await statedBy(one)).some(({ type }) => type === 'revoked')
      expect(taken).toBe(signer === undefined)
      expect(await signedBy(one, 'acme')).toEqual(await servedBy(one, 'acme'))
      const again = await runtime.importRevocation(path, 'ops')
      seen.push(again.outcome)
      expect(again.outcome).toBe(taken ? 'no-op' : 'revoked')
      expect(await signerOf(one, 'acme')).toBeUndefined()
      expect(await signedBy(one, 'acme')).toEqual([])
      const erased = (await statedBy(one)).flatMap((stated) => (stated.type === 'erased' ? [stated.kid] : []))
      expect(erased.toSorted()).toEqual([kidOf(acme, 0), kidOf(acme, 1)].toSorted())
    }
    expect(new Set(seen)).toEqual(new Set(['revoked', 'no-op']))
  })
})
