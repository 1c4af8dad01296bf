import { describe, expect, it } from 'vitest'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { halves, ready } from './handoffs.ts'
import './harness/cheap.ts'

/** Fault 22: concurrent imports [atomic]. */

describe('concurrent imports', () => {
  it('of the same handoff by several processes end in one import, whole, and the others say why not', async () => {
    const { runtime, dir, clock, files } = await ready(['a', 'b', 'c', 'd'])
    const others = await Promise.all([1, 2].map(() => openRuntime({ dir, clock })))
    const results = await Promise.all(
      [runtime, ...others].map((one) =>
        one.importFiles(files).then(
          (result) => result.outcome,
          (error) => error.code as string,
        ),
      ),
    )
    for (const other of others) await other.close()
    expect(results.filter((result) => result === 'imported')).toHaveLength(1)
    for (const result of results) expect(['imported', 'no-op', 'store-busy']).toContain(result)
    expect((await runtime.status()).tenants).toHaveLength(4)
    expect(await halves(runtime)).toBe('everything')
  })
})
