import { cpSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openRuntime, type Runtime } from '../../electron/issuer/runtime.ts'
import { type TestRuntime, temporaryFolder } from '../issuer/fixtures.ts'
import { halves, ready } from './handoffs.ts'
import './harness/cheap.ts'
import { type Operation, watching } from './harness/points.ts'

/** Fault 22: kill between import and publish [atomic], in the embedded store. */

/** The runtime's folder as a process killed at this moment leaves it. */
function copyOf({ dir }: Pick<TestRuntime, 'dir'>): string {
  const copy = join(temporaryFolder(), basename(dir))
  cpSync(dir, copy, { recursive: true })
  return copy
}

describe('killed between import and publish', () => {
  it('at every operation of an import: nothing of it or all of it, and importing again ends in the same', async () => {
    const { runtime, dir, clock, files } = await ready(['a', 'b'])
    const moments: { where: string; copy: string }[] = []
    const before = ({ name, path }: Operation) => {
      moments.push({
        where: `before operation ${moments.length + 1}, ${name} of ${basename(path)}`,
        copy: copyOf({ dir }),
      })
    }
    await watching({ before }, () => runtime.importFiles(files))
    await runtime.tick()
    moments.push({ where: 'after all', copy: copyOf({ dir }) })
    const found: string[] = []
    for (const { where, copy } of moments) {
      const again = await openRuntime({ dir: copy, clock })
      const left = await halves(again)
      found.push(left)
      expect(['nothing', 'everything'], where).toContain(left)
      const { outcome } = await again.importFiles(files)
      expect(outcome, where).toBe(left === 'nothing' ? 'imported' : 'no-op')
      await again.tick()
      expect(await halves(again), where).toBe('everything')
      expect(await keysOf(again), where).toEqual(await keysOf(runtime))
      await again.close()
      rmSync(copy, { recursive: true })
    }
    // Once it is there, it stays: the switch is one moment.
    expect(found.join(' ')).toMatch(/^(nothing )+(everything ?)+$/)
  })
})

const keysOf = async (runtime: Runtime) =>
  (await runtime.status()).tenants.map(({ signingKids, phases }) => [
    signingKids,
    phases.map(({ kid, phase }) => [kid, phase]),
  ])
