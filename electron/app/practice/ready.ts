import { randomInt } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keysOf } from '../../../shared/domain/state.ts'
import { makeFolder } from '../../files/write.ts'
import type { Runtime } from '../../issuer/runtime.ts'
import type { PracticePerson } from '../context.ts'
import { BACKUP, ENROLLED, OFFERED, PEOPLE, RESERVED, TENANTS } from './harbour.ts'
import { removeLeftWorlds } from './leftovers.ts'
import { PracticeWorld } from './world.ts'

/** A practice vault to look around in: months of made-up history that hold at the real present. */

const DAY = 86_400
/** A step takes about so long when people do it, in seconds. */
const STEP_TAKES = 95

/** Days before now on which a key takes over, and one is removed. */
const CHANGES = [89, 59, 29, 26]

export type ReadyPractice = {
  home: string
  medium: string
  practice: { folder: string; people: PracticePerson[] }
  remove(): void
}

/**
 * Makes a practice vault, its records and a medium with what waits to be taken in, in a temporary folder that `remove`
 * takes away. Whatever fails leaves nothing behind, and what killed programs left before is removed.
 */
export async function readyPractice(): Promise<ReadyPractice> {
  removeLeftWorlds(tmpdir())
  const world = new PracticeWorld({ people: PEOPLE, threshold: 3 }, (below) => randomInt(below), 'Harbour rehearsal')
  world.pace = STEP_TAKES
  try {
    await live(world)
  } catch (error) {
    world.remove()
    throw error
  }
  return {
    home: world.home,
    medium: world.media,
    practice: {
      folder: world.folder,
      people: PEOPLE.map((person) => ({ ...person, passphrase: world.passphraseOf(person.id) })),
    },
    remove: () => world.remove(),
  }
}

/** Emil was at the beginning and never since: his passphrase is due. */
const ALL_BUT_EMIL = (id: string): boolean => id !== 'emil'

async function live(world: PracticeWorld): Promise<void> {
  await world.begin(190 * DAY)
  world.goOn(150 * DAY)
  await world.hold({ kind: 'onboard', tenants: [...TENANTS, RESERVED] }, ALL_BUT_EMIL)
  world.goOn(149 * DAY)
  await world.enroll(ENROLLED, ALL_BUT_EMIL)
  const runtime = await world.openRuntime(ENROLLED)
  try {
    await months(world, runtime)
  } finally {
    await runtime.close()
  }
}

/** What the runtime lived through, up to the receipts and the enrollment that wait on the medium. */
async function months(world: PracticeWorld, runtime: Runtime): Promise<void> {
  world.goOn(148 * DAY)
  await world.handTo(
    ENROLLED,
    runtime,
    TENANTS.map(({ tenant }) => tenant),
    ALL_BUT_EMIL,
  )
  world.goOn(140 * DAY)
  await world.hold(BACKUP, ALL_BUT_EMIL)
  for (const ago of CHANGES) {
    world.goOn(ago * DAY)
    await runtime.tick()
  }
  world.goOn(25 * DAY)
  await world.hold({ kind: 'intake', runtime: ENROLLED, receipts: await world.receiptsOf(runtime) }, ALL_BUT_EMIL)
  world.goOn(20 * DAY)
  await world.hold(await destruction(world), ALL_BUT_EMIL)
  world.arrive()
  world.media = join(world.base, 'medium')
  makeFolder(world.media)
  await world.receiptsOf(runtime)
  await world.offer(OFFERED)
}

/** The first keys of two tenants go; the second of one of them is retired by now, and waits. */
async function destruction(world: PracticeWorld): Promise<object> {
  const state = await world.state()
  const keys = ['acme', 'northwind'].flatMap((tenant) => keysOf(state, tenant)[0]?.kid ?? [])
  const statement = 'Its snapshots and database backups of that time are overwritten; nothing else held the key'
  const attestations = [{ copy: `runtime:${ENROLLED}`, by: 'goran', statement }]
  return { kind: 'destroy', keys, reason: 'Retired by schedule; the policy destroys at retirement', attestations }
}
