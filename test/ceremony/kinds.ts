import { generateKeyPairSync } from 'node:crypto'
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import { runGenesis } from '../../electron/ceremony/runner.ts'
import type { CeremonyResult } from '../../electron/ceremony/steps.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import type { UnlockedPerson } from '../../electron/vault/people.ts'
import type { CeremonyKind } from '../../shared/domain/events.ts'
import { keysOf } from '../../shared/domain/state.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { p256JwkSchema } from '../../shared/formats/jws.ts'
import { parsePlan, type ReadPlan } from '../../shared/formats/plan.ts'
import {
  GENESIS,
  type Genesis,
  PEOPLE,
  PRESENT,
  Room,
  type RunOptions,
  type TestRuntime,
  tenantPlan,
} from './fixtures.ts'

/**
 * One entry per kind of ceremony: a room that is ready for it, and its plan. The fault tests and the tests of resuming
 * run every entry, so a new kind is one entry here:
 *
 *   'root-rotate': async (story) => ({ room: await story.onboarded(), plan: { kind: 'root-rotate' } }),
 *
 * `story` gives rooms at the moments that ceremonies start from; each call gives a copy of its own. `confirm` are the
 * words typed, `present` the people there (a quorum and its witnesses unless told), `secrets` what they type at the desk,
 * by name.
 */

export type Ready = {
  room: Room
  plan: Plan
  confirm: string[]
  present: readonly string[]
  secrets: Readonly<Record<string, string>>
}
type Plan = { kind: CeremonyKind } & Record<string, unknown>
type Entry = (story: Story) => Promise<Pick<Ready, 'room' | 'plan'> & Partial<Ready>>

export const KINDS: Record<CeremonyKind, Entry> = {
  genesis: async (story) => ({ room: story.empty(), plan: GENESIS as Plan, present: PEOPLE.map(({ id }) => id) }),
  onboard: async (story) => ({
    room: story.born(),
    plan: { kind: 'onboard', tenants: [tenantPlan('acme'), tenantPlan('globex')] },
  }),
  'enroll-runtime': async (story) => {
    const room = await story.onboarded()
    const made = await room.init('eu-one')
    return {
      room,
      plan: { kind: 'enroll-runtime', enrollment: basename(made.enrollmentFile), fingerprint: made.fingerprint },
    }
  },
  handoff: async (story) => ({
    room: await story.enrolled(),
    plan: { kind: 'handoff', runtime: RUNTIME, tenants: 'all' },
  }),
  intake: async (story) => {
    const room = await story.handedOver()
    const path = await withRuntime(room, async ({ runtime }) => (await runtime.exportReceipts(room.media)).path)
    return { room, plan: { kind: 'intake', runtime: RUNTIME, receipts: basename(path) } }
  },
  emergency: async (story) => {
    const room = await story.received()
    return { room, plan: { kind: 'emergency', scope: { key: await firstKid(room) }, reason: 'stolen' } }
  },
  custody: async (story) => ({
    room: await story.received(),
    plan: {
      kind: 'custody',
      reason: 'Clara travels with her share',
      threshold: 2,
      people: PEOPLE.map((person) => ({ ...person, ...(person.id === 'clara' && { share: 'medium' }) })),
    },
    present: PEOPLE.map(({ id }) => id),
  }),
  passphrase: async (story) => ({
    room: await story.received(),
    plan: { kind: 'passphrase', person: 'ada' },
    present: ['ada'],
    secrets: { 'new-passphrase-ada': 'another canary passphrase of ada 4917' },
  }),
  'root-rotate': async (story) => ({
    room: await story.received(),
    plan: { kind: 'root-rotate', reason: 'Five years have passed', compromised: false },
  }),
  rotate: async (story) => ({ room: await story.later(), plan: { kind: 'rotate', tenants: ['acme'] } }),
  backup: async (story) => ({
    room: await story.received(),
    plan: { kind: 'backup', holder: 'Grace Hopper', place: 'Safe 2' },
  }),
  restore: async (story) => {
    const room = await story.received()
    await room.run({ kind: 'backup', holder: 'Grace Hopper', place: 'Safe 2' })
    const folder = (await room.state()).backups.get(1)?.made?.folder ?? ''
    rmSync(room.vault, { recursive: true })
    cpSync(join(room.media, folder), room.vault, { recursive: true })
    const options = { all: true }
    const path = await withRuntime(
      room,
      async ({ runtime }) => (await runtime.exportReceipts(room.media, options)).path,
    )
    return {
      room,
      plan: {
        kind: 'restore',
        backup: 1,
        receipts: [{ runtime: RUNTIME, file: basename(path) }],
        reason: 'The machine burned',
      },
    }
  },
  inventory: async (story) => ({ room: await story.later(), plan: { kind: 'inventory' } }),
  destroy: async (story) => {
    const room = await story.later()
    const kid = await firstKid(room)
    return {
      room,
      plan: { kind: 'destroy', keys: [kid], reason: 'End of schedule' },
      confirm: [confirmationFor([kid])],
    }
  },
  'import-key': async (story) => {
    const room = await story.onboarded()
    copyFileSync(join(import.meta.dirname, '../vectors/import/ec-pkcs8.pem'), join(room.media, 'old.pem'))
    const keys = [{ file: 'old.pem', format: 'pem', spec: 'ES256' }]
    return { room, plan: { kind: 'import-key', tenant: tenantPlan('legacy'), keys, statement: 'Made elsewhere' } }
  },
  'export-key': async (story) => {
    const room = await story.onboarded()
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const recipient = p256JwkSchema.parse(publicKey.export({ format: 'jwk' }))
    writeFileSync(join(room.media, 'recipient.json'), JSON.stringify(recipient))
    return {
      room,
      plan: {
        kind: 'export-key',
        keys: [await firstKid(room)],
        format: 'jwks',
        recipient: 'recipient.json',
        fingerprint: thumbprint(recipient),
        holder: 'Operators',
        reason: 'User logins',
      },
    }
  },
  amend: async (story) => ({
    room: await story.received(),
    plan: {
      kind: 'amend',
      reason: 'Agreed',
      changes: [
        { tenant: 'globex', name: 'Globex Ltd' },
        { hold: 'case', tenant: 'globex', reason: 'Court' },
        { offboard: 'acme' },
      ],
    },
  }),
  envelope: async (story) => ({
    room: await story.standingBy(),
    plan: { kind: 'envelope', runtime: RUNTIME, tenants: ['acme'] },
  }),
}

const DAY = 86_400
export const RUNTIME = 'eu-two'

/** The key of acme that signs first. */
async function firstKid(room: Room): Promise<string> {
  const [key] = keysOf(await room.state(), 'acme')
  if (!key) throw new Error('acme has no key')
  return key.kid
}

/** Opens the runtime that lives in this room. */
export async function withRuntime<T>(room: Room, work: (runtime: TestRuntime) => Promise<T>): Promise<T> {
  const dir = join(room.base, RUNTIME)
  const runtime = await openRuntime({ dir, clock: room.clock })
  try {
    return await work({ id: RUNTIME, dir, runtime })
  } finally {
    await runtime.close()
  }
}

/** Rooms at the moments of one story, each made when it is first asked for, from the one before. */
export class Story {
  readonly genesis: Genesis
  readonly #told = new Map<string, Promise<Room>>()

  constructor(genesis: Genesis) {
    this.genesis = genesis
  }

  /** A room that is ready for this kind of ceremony. */
  async ready(kind: CeremonyKind): Promise<Ready> {
    return { confirm: [], present: PRESENT, secrets: {}, ...(await KINDS[kind](this)) }
  }

  /** Before there is a vault. */
  empty(): Room {
    const room = new Room(this.genesis.folder(), new Map(), this.genesis.room().clock.now())
    mkdirSync(room.base)
    return room
  }

  /** After genesis. */
  born(): Room {
    return this.genesis.room()
  }

  /** acme and globex have keys. */
  onboarded(): Promise<Room> {
    return this.#moment('onboarded', async () => {
      const room = this.born()
      await room.onboard(tenantPlan('acme'), tenantPlan('globex'))
      return room
    })
  }

  /** The runtime eu-two is accepted. */
  enrolled(): Promise<Room> {
    return this.#moment('enrolled', async () => {
      const room = await this.onboarded()
      const { runtime } = await room.runtime(RUNTIME)
      await runtime.close()
      return room
    })
  }

  /** It has the keys. */
  handedOver(): Promise<Room> {
    return this.#moment('handedOver', async () => {
      const room = await this.enrolled()
      await withRuntime(room, (runtime) => room.handoff(runtime))
      return room
    })
  }

  /** Its receipts are in. */
  received(): Promise<Room> {
    return this.#moment('received', async () => {
      const room = await this.handedOver()
      await withRuntime(room, (runtime) => room.intake(runtime))
      return room
    })
  }

  /** acme has a cold standby key, and eu-two keeps transport keys for envelopes. */
  standingBy(): Promise<Room> {
    return this.#moment('standingBy', async () => {
      const room = this.born()
      await room.onboard(tenantPlan('acme', { policy: { standby: 'cold' } }), tenantPlan('globex'))
      const at = await room.runtime(RUNTIME)
      await room.handoff(at)
      await at.runtime.envelopes.offer(2)
      await room.intake(at)
      await at.runtime.close()
      return room
    })
  }

  /** 110 days on: the first keys are retired. */
  later(): Promise<Room> {
    return this.#moment('later', async () => {
      const room = await this.received()
      room.clock.advance(110 * DAY)
      return room
    })
  }

  async #moment(name: string, make: () => Promise<Room>): Promise<Room> {
    const made = this.#told.get(name) ?? make()
    this.#told.set(name, made)
    return (await made).copy(this.genesis.folder())
  }
}

/** The plan as the ceremony reads it. */
export const readPlan = (plan: object): ReadPlan => parsePlan(`${JSON.stringify(plan, null, 2)}\n`)

/** Runs a prepared ceremony from its start to its record; gives the people too, whom a genesis makes. */
export async function runReady(
  { room, plan, confirm, present, secrets }: Ready,
  options: RunOptions = {},
): Promise<{ result: CeremonyResult; people: ReadonlyMap<string, UnlockedPerson> }> {
  room.answers(secrets)
  if (plan.kind !== 'genesis') {
    const { result } = await room.run(plan, { confirm, present, ...options })
    return { result, people: room.people }
  }
  const given = room.ports()
  const { vault, result } = await runGenesis(options.ports?.(given) ?? given, readPlan(plan))
  const people = vault.present as ReadonlyMap<string, UnlockedPerson>
  vault.close()
  return { result, people }
}
