import { randomInt } from 'node:crypto'
import { isKeyriteError, KeyriteError } from '../../../shared/errors.ts'
import { MB, parseJson } from '../../../shared/formats/json.ts'
import { parsePlan, type ReadPlan } from '../../../shared/formats/plan.ts'
import { castOf } from '../../app/practice/cast.ts'
import { standIn, type Written } from '../../app/practice/stand-in.ts'
import { PracticeWorld } from '../../app/practice/world.ts'
import type { Reporter } from '../../app/reporter.ts'
import { connect } from '../../app/wiring.ts'
import { runCeremony, runGenesis } from '../../ceremony/runner.ts'
import type { CeremonyResult } from '../../ceremony/steps.ts'
import type { Vault } from '../../vault/vault.ts'
import type { Answer } from '../output.ts'
import { enrolling } from '../terminal/enroll.ts'
import { canAsk, seat, terminalFor } from '../terminal/room.ts'
import { viewed } from '../view.ts'
import { type Options, readPlanFile } from './run.ts'

/** However the terminal goes away, nothing of a rehearsal stays. */
const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const random = (below: number) => randomInt(below)

/** `ceremony rehearse PLAN`: the same script in a practice vault that is removed afterwards. */
export async function practise([path = '']: string[], options: Options, reporter: Reporter): Promise<Answer> {
  const read = readPlanFile(path)
  const real = await realVault(options)
  const plan = parseJson(read.text, { maxBytes: 4 * MB }) as Written
  const world = new PracticeWorld(castOf(plan, real?.roster ?? null), random)
  const leave = () => {
    world.remove()
    process.exit(130)
  }
  for (const signal of ENDINGS) process.once(signal, leave)
  try {
    reporter.say('PRACTICE. A vault is made up for this rehearsal and removed afterwards; nothing here counts.')
    if (plan.kind === 'genesis') return told(await genesis(world, read, options, reporter), [])
    const standing = await prepared(world, plan, real)
    for (const line of standing.said) reporter.say(`  ${line}`)
    return told(await held(world, parsePlan(JSON.stringify(standing.plan, null, 2)), options, reporter), standing.said)
  } catch (error) {
    throw isKeyriteError(error, 'ceremony-paused') ? overForNow(error) : error
  } finally {
    for (const signal of ENDINGS) process.off(signal, leave)
    world.remove()
    reporter.say('PRACTICE is over: the vault, its keys and its records are removed.')
  }
}

const overForNow = (error: KeyriteError): KeyriteError =>
  new KeyriteError('ceremony-paused', `${error.message} A rehearsal cannot be resumed.`, {
    hint: 'Run "ceremony rehearse" again; a real ceremony would go on with "ceremony resume".',
    lost: 'It was practice: nothing of it was kept.',
  })

/** The vault that the plan is meant for: its people, tenants and policies, to look at only. */
async function realVault(options: Options): Promise<Pick<Vault, 'state' | 'roster'> | null> {
  if (options['vault'] === undefined) return null
  const vault = await viewed(options)
  vault.close()
  return { state: vault.state, roster: vault.roster }
}

async function prepared(world: PracticeWorld, plan: Written, real: Pick<Vault, 'state'> | null) {
  try {
    return await standIn(world, plan, real?.state ?? null)
  } catch (error) {
    if (!isKeyriteError(error)) throw error
    throw new KeyriteError(error.code, `What this plan takes for granted cannot be made up here: ${error.message}`, {
      hint: 'Give the vault that the plan is meant for with --vault, or practise with a simpler plan of the same kind.',
    })
  }
}

async function held(
  world: PracticeWorld,
  read: ReadPlan,
  options: Options,
  reporter: Reporter,
): Promise<CeremonyResult> {
  const alone = read.plan.kind === 'passphrase' ? read.plan.person : null
  const vault = await world.open((id) => alone === null || id === alone)
  try {
    if (!canAsk(options)) return await runCeremony(world.ports({ reporter }), vault, read, [])
    const who = { people: () => vault.roster.people, present: () => [...vault.present.keys()] }
    const ask = terminalFor(options, '')
    return await runCeremony(connect(seat(world.room({ reporter }), ask, who)), vault, read, [])
  } finally {
    vault.close()
  }
}

async function genesis(
  world: PracticeWorld,
  read: ReadPlan,
  options: Options,
  reporter: Reporter,
): Promise<CeremonyResult> {
  const { plan } = read
  if (plan.kind !== 'genesis') throw new KeyriteError('internal', 'This plan does not create a vault.')
  const practice = { ...read, plan: { ...plan, practice: true } }
  const room = world.room({ reporter })
  const ports = canAsk(options)
    ? enrolling(room, terminalFor(options, ''), { folder: world.folder, plan: practice.plan }).ports
    : world.ports({ reporter })
  const { vault, result } = await runGenesis(ports, practice)
  vault.close()
  return result
}

const told = ({ kind, steps, certificates }: CeremonyResult, standIns: readonly string[]): Answer => ({
  data: { practice: true, kind, steps, certificates: certificates.length, standIns },
  text: `Practised: ${kind}, ${steps.length} steps and the record. Nothing of it remains, and nothing of it proves anything.`,
})
