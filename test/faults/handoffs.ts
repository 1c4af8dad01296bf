import type { Runtime } from '../../electron/issuer/runtime.ts'
import { makeHandoff, makeRuntime, makeTenant, makeVault, pathsOf } from '../issuer/fixtures.ts'

/** A runtime with the files of one handoff for these tenants, not imported yet. */
export async function ready(names: readonly string[]) {
  const vault = await makeVault()
  const made = await makeRuntime(vault)
  const tenants = names.map((name) => makeTenant(name))
  const handoff = await makeHandoff(vault, made.folder, tenants, { transportKey: made.transportKey })
  return { ...made, files: pathsOf(handoff) }
}

/** Nothing of a handoff, or all of it: every tenant signs, and every key has its private half. */
export async function halves(runtime: Runtime): Promise<'nothing' | 'everything' | 'a part'> {
  const { bundle, tenants } = await runtime.status()
  if (!bundle && tenants.length === 0) return 'nothing'
  const whole = tenants.every(
    ({ signingKids, phases }) => signingKids.length === 1 && phases.every((key) => key.hasPrivate),
  )
  return bundle?.number === 1 && whole ? 'everything' : 'a part'
}
