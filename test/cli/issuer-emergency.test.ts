import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Night, night } from './night.ts'
import { answerOf, keyrite } from './run.ts'
import { blocksOf, fixed, signingIn, type } from './typed.ts'

/** The commands of an emergency as an operator types them, and the runbooks that tell what to type. */

type Ran = { status: number | null; ok: boolean; data: Record<string, unknown>; error: { code: string; hint: string } }

async function json(at: Night, ...args: string[]): Promise<Ran> {
  const ran = await keyrite(['issuer', ...args, '--dir', at.dir, '--json'])
  return { status: ran.status, ...(answerOf(ran) as unknown as Omit<Ran, 'status'>) }
}
describe('issuer taint', () => {
  it('names the standby key that takes over, takes a whole tenant, and says 503 where nobody signs', async () => {
    const at = await night()
    const [kid = ''] = (await signingIn(at))['acme'] ?? []
    const one = await json(at, 'taint', '--tenant', 'acme', '--kid', kid.slice(0, 10), '--withdraw')
    expect(one).toMatchObject({ status: 0, data: { kid, changed: true, standbys: [at.standby], unsigned: [] } })
    const all = await json(at, 'taint', '--tenant', 'globex', '--all')
    expect(all).toMatchObject({ status: 0, data: { tenant: 'globex', standbys: [], unsigned: ['ES256'] } })
    expect(await signingIn(at)).toEqual({ acme: [at.standby], globex: [], initech: [expect.any(String)] })
  })

  it('of a runtime asks for exactly the words, and nothing else is enough; then it is done for every tenant', async () => {
    const at = await night()
    const before = await signingIn(at)
    const refusals: [string[], number, string][] = [
      [['--runtime'], 4, 'confirmation-missing'],
      [['--runtime', '--confirm', 'taint eu-one'], 4, 'confirmation-missing'],
      [['--runtime', '--confirm', 'TAINT eu-two'], 4, 'confirmation-missing'],
      [['--runtime', '--tenant', 'acme'], 2, 'usage-invalid'],
      [['--tenant', 'acme'], 2, 'usage-invalid'],
      [['--tenant', 'acme', '--all', '--kid', 'x'], 2, 'usage-invalid'],
      [['--all'], 2, 'usage-invalid'],
      [['--tenant', 'nobody', '--all'], 5, 'tenant-unknown'],
    ]
    for (const [args, status, code] of refusals)
      expect(await json(at, 'taint', ...args)).toMatchObject({ status, ok: false, error: { code } })
    expect((await json(at, 'taint', '--runtime')).error.hint).toContain('--confirm "TAINT eu-one"')
    const yes = await keyrite(['issuer', 'taint', '--runtime', '--yes', '--dir', at.dir])
    expect(yes).toMatchObject({ status: 2, stderr: expect.stringContaining("unknown option '--yes'") })
    expect(await signingIn(at)).toEqual(before)
    const done = await json(at, 'taint', '--runtime', '--withdraw', '--confirm', 'TAINT eu-one')
    expect(done).toMatchObject({ status: 0, data: { failed: [], tenants: [{}, {}, {}] } })
    expect(done.data['residualUntil']).toBeGreaterThan(at.now)
    expect(await signingIn(at)).toEqual({ acme: [], globex: [], initech: [] })
    const again = await json(at, 'taint', '--runtime', '--withdraw', '--confirm', 'TAINT eu-one')
    expect(again.data).toMatchObject({ changed: 0, keys: done.data['keys'] })
  }, 240_000)
})

describe('issuer reject-tokens', () => {
  it('takes now, a day or a time in UTC, and nothing else', async () => {
    const at = await night()
    const reject = (before: string) => json(at, 'reject-tokens', '--tenant', 'acme', '--before', before)
    expect(await reject('2026-03-01')).toMatchObject({ data: { before: 1_772_323_200, changed: true } })
    expect(await reject('2026-03-01T00:00:01Z')).toMatchObject({ data: { before: 1_772_323_201, changed: true } })
    expect(await reject('2026-02-01')).toMatchObject({ data: { before: 1_772_323_201, changed: false } })
    for (const wrong of ['yesterday', '2026-02-30', '2026-03-01T25:00:00Z', '1772323200', '2199-01-01'])
      expect(await reject(wrong)).toMatchObject({ status: 2, error: { code: 'usage-invalid' } })
    expect((await reject('now')).data['before']).toBeGreaterThanOrEqual(at.now)
  })
})

describe('issuer drill', () => {
  it('writes its report, and answers what it found', async () => {
    const at = await night()
    const out = join(at.folder, 'reports')
    const { status, data } = await json(at, 'drill', '--tenant', 'acme', '--out', out)
    expect([status, data['held']]).toEqual([0, true])
    const [name = ''] = readdirSync(out)
    const { path, ...report } = data
    expect(path).toBe(join(out, name))
    expect(JSON.parse(readFileSync(join(out, name), 'utf8'))).toEqual(report)
    expect(await json(at, 'drill', '--tenant', 'nobody')).toMatchObject({ status: 5 })
  })
})

describe.each(['emergency.md', 'issuance-log.md'])('docs/guides/%s', (guide) => {
  const blocks = blocksOf(guide)

  it('has commands that are typed here', () => {
    expect(blocks.length).toBeGreaterThan(2)
  })

  it.each(blocks.map((block) => [block[0]?.command ?? '', block] as const))(
    '%s … says what stands there',
    async (_first, block) => {
      const at = await night({ tokens: guide === 'issuance-log.md' })
      for (const { command, said } of block) expect(fixed(await type(at, command)), command).toBe(fixed(said))
    },
    240_000,
  )
})
