import type { Handlers, Takes } from '../../../shared/contract/contract.ts'
import type { Check } from '../../../shared/contract/machine.ts'
import type { Override, Sitting as Shown, SITTING_METHODS } from '../../../shared/contract/sitting.ts'
import { openCeremony } from '../../../shared/domain/state.ts'
import { must } from '../../../shared/errors.ts'
import { parsePlan } from '../../../shared/formats/plan.ts'
import type { Deviation } from '../../ceremony/ports.ts'
import { Vault } from '../../vault/vault.ts'
import { type AppContext, type AppOptions, carrying, IDLE_AFTER, viewed } from '../context.ts'
import { closeView } from '../home/open.ts'
import { checkMachine } from '../machine/readiness.ts'
import { needsMedium } from './needs-medium.ts'
import { rehearsing } from './rehearse.ts'
import { Sitting } from './sitting.ts'
import { closing, creating, holding, resuming, type Table } from './table.ts'

/** The sitting behind the screens: at most one at a time. */

export type SittingPart = {
  handlers: Pick<Handlers, keyof typeof SITTING_METHODS>
  networkCameUp(names: string[]): void
  /** A sitting is not over: nothing else is done with vaults meanwhile. */
  underWay(): boolean
  close(): Promise<void>
}

export function sittingHandlers(app: AppContext, options: Pick<AppOptions, 'idleAfter'>): SittingPart {
  let sitting: Sitting | null = null
  let laying = false
  const running = (): Sitting => {
    must(sitting, 'ceremony-unknown', 'Nobody sits down to a ceremony at the moment.')
    return sitting
  }
  const then = async (work: (one: Sitting) => Promise<void> | void): Promise<Shown> => {
    const one = running()
    await work(one)
    return one.shown()
  }
  const rise = async (): Promise<void> => {
    const one = sitting
    sitting = null
    await one?.leave()
    // Meanwhile the next may have begun.
    if (!sitting) app.tell({ tell: 'sitting', sitting: null })
  }
  const handlers: SittingPart['handlers'] = {
    sit: async (wanted) => {
      must((!sitting || sitting.over) && !laying, 'ceremony-open', 'Another ceremony is under way in this window.')
      laying = true
      try {
        sitting = await sitDown(app, wanted, { rise, idleAfter: options.idleAfter ?? IDLE_AFTER })
      } finally {
        laying = false
      }
      app.tell({ tell: 'sitting', sitting: sitting.shown() })
      return sitting.shown()
    },
    arrive: ({ person, passphrase }) => then((one) => one.arrive(person, passphrase)),
    begin: () => then((one) => one.begin()),
    answer: ({ question, answer }) => then((one) => one.answer(question, answer)),
    note: (deviation) => then((one) => one.note(deviation)),
    pause: async ({ why }) => {
      // Whoever shuts the lid looks no more.
      if (why === 'lid' && app.view) {
        closeView(app)
        app.tell({ tell: 'view-closed' })
      }
      sitting?.pause(why)
      return sitting?.shown() ?? null
    },
    closeCeremony: ({ reason }) => then((one) => one.close(reason)),
    sitting: () => sitting?.shown() ?? null,
    rise: async () => {
      must(!sitting || sitting.over, 'ceremony-open', 'The ceremony is under way. Pause it first.')
      await rise()
      await lookAgain(app)
      return {}
    },
  }
  return {
    handlers,
    networkCameUp: (names) => sitting?.networkCameUp(names),
    underWay: () => laying || (sitting !== null && !sitting.over),
    close: rise,
  }
}

/** Lays the table, and leaves the last one only once this one can be had. */
async function sitDown(
  app: AppContext,
  wanted: Takes<'sit'>,
  { rise, idleAfter }: { rise: () => Promise<void>; idleAfter: number },
): Promise<Sitting> {
  const knownNetworks = app.networks()
  const table = await laid(app, wanted)
  try {
    must(
      app.practice === null || table.practice,
      'practice-refused',
      'This window is for practice: its folder is removed when it closes, so nothing real can be held here.',
    )
    const unready = 'overrides' in wanted ? await foundUnready(app, wanted.overrides, table.practice) : []
    await rise()
    letGoOf(app, table)
    const { home, medium, now, elapsed, tell, networks } = app
    const released = () => lookAgain(app)
    return new Sitting(table, {
      ...{ home, medium, now, elapsed, tell, networks, knownNetworks, idleAfter, unready, released },
    })
  } catch (error) {
    table.leave?.()
    throw error
  }
}

/** What is wanted, with everything that can be known before anybody comes in. */
async function laid(app: AppContext, wanted: Takes<'sit'>): Promise<Table> {
  if (wanted.doing === 'close') {
    const open = openIn(app, wanted.folder)
    return closing(wanted.folder, open.kind, wanted.reason)
  }
  if (wanted.doing === 'resume') {
    const { kind, plan } = openIn(app, wanted.folder)
    if (needsMedium(kind)) carrying(app)
    const read = parsePlan(plan)
    return resuming(wanted.folder, { kind, alone: read.plan.kind === 'passphrase' ? read.plan.person : null })
  }
  const read = parsePlan(wanted.plan)
  if (wanted.doing === 'rehearse') return rehearsing(read, app.view?.vault ?? null)
  if (needsMedium(read.plan.kind)) carrying(app)
  const { plan } = read
  if (plan.kind === 'genesis') return creating(app.home, { ...read, plan })
  const folder = wanted.folder ?? app.view?.folder
  must(folder, 'vault-missing', 'Open the vault that this plan is for.')
  return holding(folder, read)
}

/** The open ceremony of the vault that somebody looks at. Codes `vault-missing`, `ceremony-unknown`. */
function openIn(app: AppContext, folder: string) {
  const { vault, folder: looked } = viewed(app)
  must(folder === looked, 'vault-missing', 'Open this vault first, to see what is to be gone on with.')
  const open = openCeremony(vault.state)
  must(open, 'ceremony-unknown', 'No ceremony is open in this vault.')
  return open
}

/**
 * What does not pass of the machine's checks, with the reasons to go on. A production ceremony begins on a machine that is
 * ready, or with a reason for each thing that is not; in practice reasons are taken where they are given. What was found is
 * looked at here again, never told by the screen. Code `environment-unsafe`.
 */
async function foundUnready(app: AppContext, overrides: readonly Override[], practice: boolean): Promise<Deviation[]> {
  if (practice && overrides.length === 0) return []
  const { checks } = await checkMachine(app)
  const failing = checks.filter(({ state }) => state !== 'pass')
  const reasonFor = (id: Check['id']) => overrides.find(({ check }) => check === id)?.reason
  const missing = failing.filter(({ id }) => reasonFor(id) === undefined)
  must(
    practice || missing.length === 0,
    'environment-unsafe',
    `This machine is not ready: ${missing.map(({ title }) => title).join(', ')}. Nobody gave a reason to go on.`,
  )
  return failing.flatMap(({ id, title, found }) => {
    const reason = reasonFor(id)
    return reason === undefined
      ? []
      : [{ expected: `Before the ceremony: ${title}`, happened: found.slice(0, 400), action: `Went on. ${reason}` }]
  })
}

/** A vault has one owner: whoever looks at it lets go of it while it is held by a ceremony. */
function letGoOf(app: AppContext, { vault, doing }: Table): void {
  if (doing !== 'rehearse' && app.view?.folder === vault.folder) app.view.vault.close()
}

/** After a sitting whoever looked before looks again, unless what opened it for them has changed. */
async function lookAgain(app: AppContext): Promise<void> {
  const { view } = app
  if (!view || view.vault.database.open) return
  try {
    app.view = { ...view, vault: await Vault.openFor(view.folder, new Map([[view.by.id, view.by]])) }
  } catch {
    app.view = null
  }
}
