import { cpSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openRuntime, type Runtime } from '../../electron/issuer/runtime.ts'
import {
  makeHandoff,
  makeRuntime,
  makeTenant,
  makeVault,
  pathsOf,
  type TestRuntime,
  temporaryFolder,
} from '../issuer/fixtures.ts'
import './harness/cheap.ts'
import { type Operation, watching } from './harness/points.ts'

/** Fault 22: concurrent imports; kill between import and publish [atomic]. */

async function ready(names: readonly string[]) {
  const vault = await makeVault()
  const made = await makeRuntime(vault)
  const tenants = names.map((name) => makeTenant(name))
  const handoff = await makeHandoff(vault, made.folder, tenants, { transportKey: made.transportKey })
  return { ...made, files: pathsOf(handoff) }
}

/** Nothing of a handoff, or all of it: every tenant signs, and every key has its private half. */
async function halves(runtime: Runtime): Promise<'nothing' | 'everything' | 'a part'> {
  const { bundle, tenants } = await runtime.status()
  if (!bundle && tenants.length === 0) return 'nothing'
  const whole = tenants.every(
    ({ signingKids, phases }) => signingKids.length === 1 && phases.every((key) => key.hasPrivate),
  )
  return bundle?.number === 1 && whole ? 'everything' : 'a part'
}

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
