import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import { keysOf } from '../../shared/domain/state.ts'
import { utf8 } from '../../shared/formats/bytes.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
import { type KeyLife, lifeOf } from '../../shared/formats/key-life.ts'
import { verifyInclusion } from '../../shared/formats/merkle.ts'
import { type Genesis, makeGenesis, type Room, T0, tenantPlan, writePassphrases } from '../ceremony/fixtures.ts'
import { answerOf, keyrite } from './run.ts'

const DAY = 86_400

let genesis: Genesis
let room: Room
let kids: string[]
let passphrases: string
beforeAll(async () => {
  genesis = await makeGenesis()
  room = genesis.room()
  await room.onboard(tenantPlan('acme'), tenantPlan('globex'))
  const live = await room.runtime()
  await room.handoff(live)
  await room.intake(live)
  await room.run({ kind: 'backup', holder: 'Grace Hopper', place: 'Safe 2' })
  for (let day = 10; day <= 100; day += 10) {
    room.clock.to(T0 + day * DAY)
    await live.runtime.tick()
  }
  await room.intake(live)
  await live.runtime.close()
  const state = await room.state()
  kids = ['acme', 'globex'].map((tenant) => keysOf(state, tenant)[0]?.kid ?? '')
  const said = { copy: 'runtime:eu-one', by: 'grace', statement: 'No snapshot exists' }
  await room.run(
    { kind: 'destroy', keys: kids, reason: 'End of schedule', attestations: [said] },
    { confirm: [confirmationFor(kids)] },
  )
  passphrases = writePassphrases(join(room.base, 'passphrases'), ['emmy'])
}, 120_000)
afterAll(() => genesis.remove())

describe("keyrite evidence key: one key's life", () => {
  it('from birth to certificate, in order of time, each moment with where it is written', async () => {
    const [kid = ''] = kids
    const life = lifeOf(await room.state(), kid, room.clock.now())
    const story = life.moments.map(({ what }) => what).join('\n')
    expect(story).toMatch(
      /Made in O-2026-002 by Node .*fresh process; linted.*\nLeft for eu-one in handoff 1\n[\s\S]*eu-one: signing\n[\s\S]*Copied with backup 1, held by Grace Hopper[\s\S]*eu-one: private half erased \(retired\)[\s\S]*grace attested runtime:eu-one\nErased from the vault\nIts absence proved\nCertificate of deletion D-2026-\d+-C1$/,
    )
    expect(life.moments[0]?.evidence).toMatch(/^Approved by ada and blaise\. /)
    for (const { evidence } of life.moments) expect(evidence).toMatch(/\S/)
    expect(life.copies.filter((copy) => copy.status === 'open').map((copy) => copy.id)).toEqual(['backup:1', 'medium'])
  })

  it('of a batch it gives the proof that this key stands under the digest that was typed', async () => {
    const state = await room.state()
    for (const kid of kids) {
      const { certificate } = lifeOf(state, kid, room.clock.now())
      expect(confirmationFor(kids)).toBe(`DESTROY 2 ${certificate?.merkleRoot?.slice(0, 8)}`)
      const { proof, merkleRoot } = certificate ?? {}
      expect(proof && verifyInclusion(utf8(kid), proof, merkleRoot ?? '')).toBe(true)
    }
  })

  it('each key stands under the digest that was read aloud when it was made, shown without the others', async () => {
    const state = await room.state()
    const made = state.ceremonies.get('O-2026-002')?.done.find(({ step }) => step === 'make-keys')?.observed
    for (const kid of state.keys.keys()) {
      const { birth } = lifeOf(state, kid, room.clock.now())
      expect(birth && verifyInclusion(utf8(kid), birth.proof, birth.merkleRoot)).toBe(true)
      expect(made).toContain(hexGroups(birth?.merkleRoot ?? '').join(' '))
    }
  })

  it('as JSON, as text and as a page; an unknown key is refused', async () => {
    const [kid = ''] = kids
    const args = ['evidence', 'key', kid, '--vault', room.vault, '--passphrases', passphrases]
    const json = answerOf(await keyrite([...args, '--json']))
    expect((json.data as KeyLife & { openCopies: number }).openCopies).toBe(2)
    const page = join(room.base, 'life.html')
    const { stdout, status } = await keyrite([...args, '--out', page])
    expect(status).toBe(0)
    expect(stdout).toContain('2 of 5 known copies are open')
    const html = readFileSync(page, 'utf8')
    expect(html).toContain('This page is not signed')
    expect(html).toContain('PRACTICE')
    expect(html).not.toMatch(/<script|https?:\/\/(?!acme)/)
    const unknown = answerOf(await keyrite(['evidence', 'key', 'A'.repeat(43), ...args.slice(3), '--json']))
    expect(unknown.error.code).toBe('key-unknown')
  })
})
