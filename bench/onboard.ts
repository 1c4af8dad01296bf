import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '../electron/app/wiring.ts'
import type { Ports } from '../electron/ceremony/ports.ts'
import { runCeremony, runGenesis } from '../electron/ceremony/runner.ts'
import type { Quorum } from '../electron/vault/quorum.ts'
import { Vault } from '../electron/vault/vault.ts'
import { parsePlan } from '../shared/formats/plan.ts'
import { PASSPHRASES, PEOPLE, THRESHOLD } from '../test/vault/practice.ts'
import type { Row } from './measure.ts'

/** One onboarding of many tenants with RSA-2048 keys, from its first step to its record, in a practice vault on this disk. */
export async function onboarding(tenants: number): Promise<Row[]> {
  const base = mkdtempSync(join(tmpdir(), 'keyrite-bench-'))
  try {
    const { ports, generating } = timed(base)
    const genesis = await runGenesis(ports, plan({ kind: 'genesis', vault: 'Bench', practice: true, ...ROOM }))
    genesis.vault.close()
    const present = await Vault.open(join(base, 'bench.vault'), PASSPHRASES)
    const start = performance.now()
    await runCeremony(ports, present, plan({ kind: 'onboard', tenants: Array.from({ length: tenants }, tenantOf) }), [])
    const all = performance.now() - start
    const keys = present.state.keys.size
    present.close()
    return [
      {
        measure: `onboarding ${tenants} tenants with RS256, a whole ceremony: ${keys} RSA-2048 keys made, sealed, recorded`,
        figure: `${(all / 1000).toFixed(1)} s, of which ${((1 - generating() / all) * 100).toFixed(0)} % is not key generation`,
      },
    ]
  } finally {
    rmSync(base, { recursive: true })
  }
}

const ROOM = { threshold: THRESHOLD, people: PEOPLE }
const plan = (content: object) => parsePlan(JSON.stringify(content))

const tenantOf = (_: unknown, at: number) => ({
  tenant: `tenant-${at}`,
  name: `The company ${at}`,
  issuer: `http://127.0.0.1:47770/t/tenant-${at}`,
  policy: { signingAlgorithms: ['RS256'] },
  relyingParties: [],
})

/** The ports of the command line, with a stopwatch around the making of keys. */
function timed(base: string): { ports: Ports<Quorum>; generating: () => number } {
  let spent = 0
  const ports = connect({
    media: join(base, 'media'),
    records: join(base, 'records'),
    newVault: { folder: join(base, 'bench.vault'), passphrases: PASSPHRASES },
    now: () => Math.floor(Date.now() / 1000),
    reporter: {
      say: () => {},
      progress: (what, done, total) =>
        void process.stderr.write(done % 50 === 0 ? `onboard: ${what}, ${done} of ${total}\n` : ''),
    },
  })
  const makeKeys: Ports<Quorum>['makeKeys'] = async (jobs, onProgress) => {
    const start = performance.now()
    const made = await ports.makeKeys(jobs, onProgress)
    spent += performance.now() - start
    return made
  }
  return { ports: { ...ports, makeKeys }, generating: () => spent }
}
