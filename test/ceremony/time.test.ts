import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeskPort, Ports } from '../../electron/ceremony/ports.ts'
import { resumeCeremony } from '../../electron/ceremony/runner.ts'
import { cardOf } from '../../electron/ceremony/time.ts'
import type { Quorum } from '../../electron/vault/quorum.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { failure, type Genesis, makeGenesis, type Room, tenantPlan } from './fixtures.ts'

/** Offline time and the head card (lifecycle.md "Offline clock", vault.md "head card"). */

let genesis: Genesis
beforeAll(async () => {
  genesis = await makeGenesis()
}, 60_000)
afterAll(() => genesis.remove())

const ONBOARD = { kind: 'onboard', tenants: [tenantPlan('acme')] }

const withDesk =
  (desk: Partial<DeskPort>, more: Partial<Ports<Quorum>> = {}) =>
  (ports: Ports<Quorum>): Ports<Quorum> => ({ ...ports, ...more, desk: { ...ports.desk, ...desk } })

const watches = (offset: number, by = ['emmy', 'grace']) => withDesk({ confirmTime: async () => ({ offset, by }) })

const observed = async (room: Room, id: string) => (await room.state()).ceremonies.get(id)

describe('two people confirm UTC from independent watches', () => {
  it('the app works with that offset: every time of the ceremony is corrected by it, and the record says so', async () => {
    const room = genesis.room()
    const machine = room.clock.now()
    await room.run(ONBOARD, { ports: watches(240) })
    const ceremony = await observed(room, 'O-2026-002')
    expect(ceremony?.clock).toEqual({ offset: 240, by: ['emmy', 'grace'] })
    expect(ceremony?.startedAt).toBe(machine + 240)
    expect(ceremony?.done[0]?.observed).toContain('the clock of this machine is 4 minutes behind')
    expect((await room.verify()).tail).toBeNull()
  })

  it.each([
    ['one person twice', ['emmy', 'emmy']],
    ['a person who is not there', ['emmy', 'clara']],
  ])('refuses %s', async (_, by) => {
    const room = genesis.room()
    const error = await room.refused(ONBOARD, 'clock-refused', { ports: watches(0, by) })
    expect(error.message).toContain('Two different people')
  })

  it('refuses a difference of more than a day: the date of the machine is wrong', async () => {
    await genesis.room().refused(ONBOARD, 'clock-refused', { ports: watches(-90_000) })
  })

  it('refuses a time before the newest event', async () => {
    const error = await genesis.room().refused(ONBOARD, 'clock-refused', { ports: watches(-7200) })
    expect(error.message).toContain('behind the newest event')
  })

  it('without anybody asked, the record says that the clock was taken as it is', async () => {
    const room = genesis.room()
    await room.run(ONBOARD)
    const ceremony = await observed(room, 'O-2026-002')
    expect(ceremony?.clock).toBeNull()
    expect(ceremony?.done[0]?.observed).toContain('Nobody confirmed the time')
  })
})

describe('the ceremony pauses on a jump of the clock', () => {
  it('nothing of the step under way is kept, and it resumes once the time is confirmed again', async () => {
    const room = genesis.room()
    let jumped = 0
    const ports = (given: Ports<Quorum>): Ports<Quorum> => {
      const { now } = given
      const elapsed = () => now()
      const jumping = () => now() + jumped
      const makeKeys: Ports['makeKeys'] = async (...jobs) => {
        const made = await given.makeKeys(...jobs)
        jumped = 3600
        return made
      }
      return { ...given, now: jumping, elapsed, makeKeys }
    }
    const error = await failure(room.run(ONBOARD, { ports }))
    expect(error.code).toBe('clock-refused')
    expect(error.message).toContain('jumped by 1 hour')
    expect((await room.state()).keys.size).toBe(0)

    await room.withVault(async (vault) => {
      const options = { confirm: [], acceptTail: true }
      const result = await resumeCeremony(room.ports(), vault, parsePlan, options)
      expect(result.steps.map(({ step }) => step)).toEqual(['check-machine', 'check-plan', 'make-keys'])
    })
    expect((await room.state()).keys.size).toBe(3)
  })

  it('a small step of the clock does not matter', async () => {
    const room = genesis.room()
    const ports = (given: Ports<Quorum>): Ports<Quorum> => {
      const start = given.elapsed()
      return { ...given, elapsed: () => start + Math.floor((given.now() - start) * 0.9) }
    }
    await room.run(ONBOARD, { ports })
  })
})

describe('fault 7: whole-folder rollback is caught by the head card', () => {
  const showing = (seq: number, head: string) => withDesk({ headCard: async () => ({ seq, head }) })

  it('a vault that ends before the event on the card is an older copy', async () => {
    const older = genesis.room()
    const newer = older.copy(genesis.folder())
    await newer.run(ONBOARD)
    const card = await newer.withVault((vault) => cardOf(vault.state.checkpoint?.statement ?? '', vault))

    const error = await older.refused(ONBOARD, 'vault-rolled-back', { ports: showing(card.seq, card.head) })
    expect(error.message).toContain('it is an older copy')
    await newer.run({ kind: 'onboard', tenants: [tenantPlan('globex')] }, { ports: showing(card.seq, card.head) })
    const ceremony = await observed(newer, 'O-2026-003')
    expect(ceremony?.headCard).toEqual(card)
    expect(ceremony?.done[0]?.observed).toContain(`The head card of event ${card.seq} agrees with this vault.`)
  })

  it('an older copy in which another ceremony was held has another history at that event', async () => {
    const one = genesis.room()
    const other = one.copy(genesis.folder())
    await one.run(ONBOARD)
    await other.run({ kind: 'onboard', tenants: [tenantPlan('globex')] })
    const card = await one.withVault((vault) => cardOf(vault.state.checkpoint?.statement ?? '', vault))
    const error = await other.refused({ kind: 'onboard', tenants: [tenantPlan('initech')] }, 'vault-rolled-back', {
      ports: showing(card.seq, card.head),
    })
    expect(error.message).toContain('another history')
  })

  it('an older card of the same history is no rollback', async () => {
    const room = genesis.room()
    const card = await room.withVault((vault) => cardOf(vault.state.checkpoint?.statement ?? '', vault))
    await room.run(ONBOARD, { ports: showing(card.seq, card.head.slice(0, 16)) })
  })
})

describe('dice', () => {
  it('the record says what the rolls add and what they do not', async () => {
    const room = genesis.room()
    await room.run({ ...ONBOARD, dice: 50 }, { ports: withDesk({ dice: async () => '123456'.repeat(9) }) })
    const step = (await observed(room, 'O-2026-002'))?.done.find((done) => done.step === 'make-keys')
    expect(step?.observed).toContain('54 rolls of dice')
    expect(step?.observed).toMatch(/cannot weaken it|add nothing/)
  })

  it('a plan that asks for dice is not carried out without them', async () => {
    const error = await failure(genesis.room().run({ ...ONBOARD, dice: 50 }))
    expect(error.code).toBe('confirmation-missing')
  })
})
