import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Runtime } from '../../electron/issuer/runtime.ts'
import { DAY, HOUR } from '../../shared/domain/policy.ts'
import { standbyTimes } from '../../shared/domain/schedule.ts'
import {
  addKey,
  makeHandoff,
  makeRuntime,
  makeTenant,
  makeVault,
  pathsOf,
  policyWith,
  type TestTenant,
} from '../issuer/fixtures.ts'

/** A practice runtime in the middle of a night of today: acme has a hot standby key, globex and initech have none. */

export type Night = { dir: string; folder: string; stick: string; standby: string; now: number }

/** `tokens`: three rows of four tokens of acme. The stick holds the enrollment of the runtime. */
export async function night({ tokens = false } = {}): Promise<Night> {
  const now = Math.floor(Date.now() / 1000)
  const vault = await makeVault({ practice: true })
  const { runtime, clock, folder, dir, transportKey } = await makeRuntime(vault)
  clock.to(now)
  const from = now - 60 * DAY
  const policy = policyWith({ horizon: 2 })
  const [acme, ...others] = ['acme', 'globex', 'initech'].map((tenant) => makeTenant(tenant, { from, policy }))
  const standby = standBy(acme, from)
  const manifest = { iat: now - HOUR, exp: now + 30 * DAY }
  const handoff = await makeHandoff(vault, folder, acme ? [acme, ...others] : others, { transportKey, manifest })
  await runtime.importFiles(pathsOf(handoff))
  await runtime.tick()
  if (tokens) for (const ago of [3, 2, 1]) await issue(runtime, now - ago * HOUR)
  await runtime.close()
  const stick = join(folder, 'stick')
  mkdirSync(stick)
  const enrollment = readdirSync(folder).find((name) => name.startsWith('enrollment-')) ?? ''
  copyFileSync(join(folder, enrollment), join(stick, enrollment))
  return { dir, folder, stick, standby, now }
}

/** One more key, announced for its whole propagation time, with its private half. */
function standBy(tenant: TestTenant | undefined, from: number): string {
  if (!tenant) throw new Error('no tenant')
  const kid = addKey(tenant, 'ES256', standbyTimes(tenant.policy, from))
  const key = tenant.keys.find((one) => one.kid === kid)
  if (key) key.standby = true
  return kid
}

async function issue(runtime: Runtime, at: number): Promise<void> {
  const service = await runtime.find('acme.example.com', '')
  const about = { at, clientId: 'billing', audience: 'https://api.example.com', scope: 'read', exp: at + HOUR }
  const tokens = Array.from({ length: 4 }, () => ({ jti: crypto.randomUUID(), kid: 'K'.repeat(43), ...about }))
  await Promise.all(tokens.map((token) => service?.record(token)))
}
