import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { practise } from '../../electron/cli/ceremony/rehearse.ts'
import { SCRIPTS } from '../../shared/domain/script.ts'
import { failure, type Genesis, makeGenesis, tenantPlan, writePassphrases } from '../ceremony/fixtures.ts'

/** `ceremony rehearse`: the same script in a practice vault that is removed afterwards, whatever happens. */

const SAMPLES = join(import.meta.dirname, '../../docs/plans')
/** Every rehearsal enrolls people anew; how hard a passphrase is to guess is not what is tested here. */
vi.mock('../../electron/vault/kdf.ts', async (real) => ({
  ...(await real<object>()),
  deriveKey: async (passphrase: string, { salt }: { salt: string }) =>
    new Uint8Array(createHash('sha256').update(`${salt} ${passphrase}`).digest()),
}))

/** Kinds that cannot be rehearsed from their sample, and what is said then. */
const NOT: Record<string, RegExp> = {
  restore: /begins with a lost vault/,
  'import-key': /PFX file cannot be made up/,
}
const kinds = readdirSync(SAMPLES)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -5))

let folder: string
let genesis: Genesis
/** Other tests practise at the same time: this one has a temporary folder of its own. */
const worlds = () => readdirSync(tmpdir()).filter((name) => name.startsWith('keyrite-practice-'))

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyrite-plans-'))
  vi.stubEnv('TMPDIR', folder)
  genesis = await makeGenesis(Math.floor(Date.now() / 1000) - 86_400)
})
afterAll(() => {
  vi.unstubAllEnvs()
  genesis.remove()
  rmSync(folder, { recursive: true })
})

const said: string[] = []
const reporter = { say: (text: string) => void said.push(text), progress: () => {} }
const rehearse = (path: string, options = {}) => practise([path], { input: false, ...options }, reporter)

describe('the sample plan of each kind', () => {
  it.each(kinds.filter((kind) => !NOT[kind]))(
    '%s: every step of the real script, and nothing is left',
    async (kind) => {
      const { data, text } = await rehearse(join(SAMPLES, `${kind}.json`))
      const { practice, steps } = data as { practice: boolean; steps: { step: string }[] }
      const script = SCRIPTS[kind as keyof typeof SCRIPTS].map(({ id }) => id)
      expect([practice, steps.map(({ step }) => step)]).toEqual([true, script])
      expect(text).toMatch(/^Practised/)
      expect(worlds()).toEqual([])
    },
    120_000,
  )

  it.each(Object.entries(NOT))(
    '%s: says plainly what cannot be made up, and nothing is left',
    async (kind, why) => {
      const error = await failure(rehearse(join(SAMPLES, `${kind}.json`)))
      expect([error.code, error.message]).toEqual(['ceremony-conflict', expect.stringMatching(why)])
      expect(worlds()).toEqual([])
    },
    60_000,
  )
})

it('with the vault it is meant for: its people, its tenants and their policies, and that vault is only looked at', async () => {
  const room = genesis.room()
  await room.onboard(tenantPlan('acme', { specs: ['Ed25519'] }))
  const passphrases = writePassphrases(join(room.base, 'passphrases'), ['grace'])
  const [kid = ''] = (await room.state()).keys.keys()
  const plan = join(folder, 'emergency.json')
  writeFileSync(plan, JSON.stringify({ kind: 'emergency', scope: { key: kid }, reason: 'A stolen disk' }))
  const content = room.content()
  said.length = 0
  await rehearse(plan, { vault: room.vault, passphrases })
  expect(said.join('\n')).toContain(`stands in for ${kid.slice(0, 8)}`)
  expect(said[0]).toMatch(/^PRACTICE/)
  expect(said.at(-1)).toMatch(/^PRACTICE is over/)
  expect([room.content(), existsSync(plan), readFileSync(plan, 'utf8').includes(kid)]).toEqual([content, true, true])
  expect(worlds()).toEqual([])
}, 60_000)
