import { randomInt } from 'node:crypto'
import type { VaultState } from '../../../shared/domain/state.ts'
import { isKeyriteError, KeyriteError } from '../../../shared/errors.ts'
import { MB, parseJson } from '../../../shared/formats/json.ts'
import { parsePlan, type ReadPlan } from '../../../shared/formats/plan.ts'
import type { Roster } from '../../../shared/formats/roster.ts'
import { runCeremony } from '../../ceremony/runner.ts'
import { hold } from '../hold.ts'
import { castOf } from '../practice/cast.ts'
import { standIn, type Written } from '../practice/stand-in.ts'
import { PracticeWorld } from '../practice/world.ts'
import { connect } from '../wiring.ts'
import { agreeOnPlan, genesis, type Running, type Table } from './table.ts'

/** A rehearsal: the same script and the same screens in a vault that is made up for it and removed afterwards. */

/**
 * `real`: the vault that the plan is meant for, to look at only. Everybody is here at once, and any words open what is
 * theirs. Codes of what cannot be made up: `ceremony-conflict` and those of its ceremonies.
 */
export async function rehearsing(read: ReadPlan, real: { state: VaultState; roster: Roster } | null): Promise<Table> {
  const plan = parseJson(read.text, { maxBytes: 4 * MB }) as Written
  const world = new PracticeWorld(castOf(plan, real?.roster ?? null), (below) => randomInt(below))
  try {
    const made = plan.kind === 'genesis' ? read : await standingIn(world, plan, real?.state ?? null)
    return {
      doing: 'rehearse',
      kind: made.plan.kind,
      practice: true,
      vault: { folder: world.folder, name: 'A vault made up for this rehearsal' },
      plan: made,
      people: world.cast.people,
      threshold: world.cast.threshold,
      alone: made.plan.kind === 'passphrase' ? made.plan.person : null,
      unlock: null,
      here: world.cast.people.map(({ id }) => id),
      run: (_, running) => rehearse(world, made, running),
      leave: () => world.remove(),
    }
  } catch (error) {
    world.remove()
    throw error
  }
}

async function standingIn(world: PracticeWorld, plan: Written, real: VaultState | null): Promise<ReadPlan> {
  try {
    return parsePlan(JSON.stringify((await standIn(world, plan, real)).plan, null, 2))
  } catch (error) {
    if (!isKeyriteError(error)) throw error
    throw new KeyriteError(error.code, `What this plan takes for granted cannot be made up here: ${error.message}`, {
      hint: 'Open the vault that the plan is meant for, or practise with a simpler plan of the same kind.',
    })
  }
}

async function rehearse(world: PracticeWorld, read: ReadPlan, running: Running): ReturnType<Table['run']> {
  const { room: given, desk, questions, seen } = running
  const room = world.room({ reporter: given.reporter, desk, onFile: given.onFile ?? (() => {}) })
  const { plan } = read
  if (plan.kind === 'genesis')
    return genesis(world.folder, { ...read, plan: { ...plan, practice: true } }, { ...running, room })
  const vault = await world.open(plan.kind === 'passphrase' ? (id) => id === plan.person : undefined)
  seen(vault)
  const ports = connect(room)
  return hold({ vault: () => vault, ports, fresh: true }, async () => {
    await agreeOnPlan(questions, read)
    return runCeremony(ports, vault, read, [])
  })
}
