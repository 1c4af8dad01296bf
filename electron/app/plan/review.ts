import { join } from 'node:path'
import type { Review } from '../../../shared/contract/plan.ts'
import { checkPeople, holdersOf } from '../../../shared/domain/roster.ts'
import { openCeremony } from '../../../shared/domain/state.ts'
import { isKeyriteError } from '../../../shared/errors.ts'
import { digest } from '../../../shared/formats/bytes.ts'
import { hexGroups, words } from '../../../shared/formats/fingerprint.ts'
import { type PlanOf, parsePlan, type ReadPlan } from '../../../shared/formats/plan.ts'
import { planInLines } from '../../../shared/pages/plan-words.ts'
import { stepsOf } from '../../../shared/pages/script-page.ts'
import { checkMedia } from '../../ceremony/custody.ts'
import { precheck } from '../../ceremony/precheck.ts'
import { checkClock } from '../../ceremony/time.ts'
import type { Vault } from '../../vault/vault.ts'
import { type AppContext, carrying } from '../context.ts'
import { failureOf } from '../failure.ts'
import { connect } from '../wiring.ts'
import { checkingContext, looseSteps } from './fit.ts'
import { withLabels } from './labels.ts'
import { needsOf, readsMedium } from './needs.ts'
import { isDecidedHere, type Outlook, outlookOf } from './outlook.ts'
import { placedProblemsOf } from './problems.ts'
import { proveAll, refusalOf, schedulesOf } from './proofs.ts'

/** Reads a plan as it would be held: what it says, what stands against it, who is needed, and what becomes of schedules. */

type Problem = Review['problems'][number]
type Found = Pick<Review, 'problems' | 'schedule' | 'tenants'>

/** The review of a plan. Never fails because of the plan: what is wrong with it stands under `problems`. */
export async function reviewOf(app: AppContext, text: string): Promise<Review> {
  const name = digest(text)
  const plain = planInLines(text)
  const lines = app.view ? withLabels(plain, app.view.vault.state) : plain
  const whole = { text, digest: { hex: hexGroups(name), words: words(name) }, lines }
  const wrong = placedProblemsOf(text).map(({ place, message }) => ({ place, message: forScreens(message) }))
  if (wrong.length > 0) return { ...whole, ...UNREAD, problems: wrong }
  const read = parsePlan(text)
  const { plan } = read
  const steps = stepsOf(plan.kind).map(
    ({ id, title, who, readAloud, do: act, observe, minutes, quorum, noWayBack }) => ({
      id,
      title,
      who,
      readAloud,
      do: act,
      observe,
      minutes,
      quorum: quorum !== undefined,
      noWayBack: noWayBack === true,
    }),
  )
  return {
    ...whole,
    kind: plan.kind,
    practice: plan.kind === 'genesis' ? plan.practice : (app.view?.vault.anchor.practice ?? null),
    steps,
    minutes: steps.reduce((sum, step) => sum + step.minutes, 0),
    needs: needsOf(plan, app.view?.vault ?? null),
    ...(await foundIn(app, read)),
  }
}

const UNREAD = {
  kind: null,
  practice: null,
  steps: [],
  minutes: 0,
  needs: { threshold: 0, of: 0, people: [], alone: null, medium: false },
  schedule: [],
  tenants: 0,
} satisfies Partial<Review>

/** What the command line says of itself is said of a screen. */
const forScreens = (message: string): string =>
  message.replace(', as "key list" shows it', ', as Keys and copies shows it')

async function foundIn(app: AppContext, read: ReadPlan): Promise<Found> {
  const { plan } = read
  const loose = looseSteps(plan.kind)
  if (loose.length > 0) return nothing(loose.map(whole))
  if (plan.kind === 'genesis') return nothing(genesisProblems(plan))
  const vault = app.view?.vault
  if (!vault)
    return nothing([whole('No vault is open. Open the vault that this plan is meant for; then it can be checked.')])
  const open = openCeremony(vault.state)
  const before = open
    ? [whole(`Ceremony ${open.id} is not over yet. Go on with it from Home, or close it with a reason.`)]
    : []
  const found = await againstVault(app, vault, read)
  return { ...found, problems: [...before, ...found.problems] }
}

const nothing = (problems: Problem[]): Found => ({ problems, schedule: [], tenants: 0 })
const whole = (message: string): Problem => ({ place: '', message })

function genesisProblems({ people, threshold }: PlanOf<'genesis'>): Problem[] {
  try {
    checkPeople(people, threshold)
    holdersOf(people)
    return []
  } catch (error) {
    return [{ place: 'people', message: toldOf(error) }]
  }
}

/** As `ceremony lint` finds it, but with the prover's work shared out over time. */
async function againstVault(app: AppContext, vault: Vault, read: ReadPlan): Promise<Found> {
  const { plan } = read
  const now = app.now()
  let outlooks: Outlook[] = []
  try {
    if (readsMedium(plan)) carrying(app)
    const context = checkingContext(portsOf(app), asIfAllCame(vault, plan, app.medium), read)
    if (isDecidedHere(plan.kind)) {
      checkClock(now, vault.state)
      await checkMedia(context)
    } else await precheck(context)
    outlooks = outlookOf({ vault, plan, now })
  } catch (error) {
    return nothing([whole(toldOf(error))])
  }
  const proved = await proveAll(outlooks, now)
  const refusal = refusalOf(proved)
  const problems = refusal ? [{ place: placeOf(plan, refusal.tenant), message: refusal.message }] : []
  return { problems, schedule: schedulesOf(proved, now), tenants: outlooks.length }
}

/** Where the plan itself describes a tenant. */
function placeOf(plan: ReadPlan['plan'], tenant: string): string {
  if (plan.kind === 'import-key') return 'tenant'
  return plan.kind === 'onboard' ? `tenants[${plan.tenants.findIndex((one) => one.tenant === tenant)}]` : ''
}

/** What the engine says; anything else is not about the plan. */
function toldOf(error: unknown): string {
  if (!isKeyriteError(error)) throw error
  const { code, message, hint } = failureOf(error)
  return code === 'medium-failed' || code === 'file-missing' ? `${message} ${hint}` : message
}

const portsOf = (app: AppContext) =>
  connect({
    media: app.medium ?? join(app.home, 'no-medium'),
    // A review writes nothing.
    records: join(app.home, 'no-records'),
    now: app.now,
    reporter: { say: () => {}, progress: () => {} },
  })

/**
 * The vault as it will be opened for the ceremony: with everybody there, or the one person who holds it alone. Who brings
 * a share on a medium shows it then, not now.
 */
function asIfAllCame(vault: Vault, plan: ReadPlan['plan'], medium: string | null): Vault {
  const [own] = vault.present.values()
  const ids = plan.kind === 'passphrase' ? [plan.person] : vault.roster.people.map(({ id }) => id)
  const present = new Map(own ? ids.map((id) => [id, own] as const) : [])
  const instead: Partial<Record<PropertyKey, unknown>> = {
    present,
    shareFolders: medium === null ? [] : [medium],
    proveShare: async () => {},
  }
  return new Proxy(vault, {
    get: (target, name) => {
      if (name in instead) return instead[name]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
