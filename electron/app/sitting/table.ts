import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Sitting as Shown } from '../../../shared/contract/sitting.ts'
import type { CeremonyKind } from '../../../shared/domain/events.ts'
import type { PersonName } from '../../../shared/domain/roster.ts'
import { isAlone } from '../../../shared/domain/script.ts'
import { openCeremony, type VaultState } from '../../../shared/domain/state.ts'
import { utcTime } from '../../../shared/domain/utc.ts'
import { KeyriteError, must } from '../../../shared/errors.ts'
import { hexGroups, words } from '../../../shared/formats/fingerprint.ts'
import { type PlanOf, parsePlan, type ReadPlan } from '../../../shared/formats/plan.ts'
import { planInLines } from '../../../shared/pages/plan-words.ts'
import { abortCeremony } from '../../ceremony/abort.ts'
import { custodiansOf } from '../../ceremony/context.ts'
import type { Ports, VaultPort } from '../../ceremony/ports.ts'
import { resumeCeremony, runCeremony, runGenesis } from '../../ceremony/runner.ts'
import type { CeremonyResult } from '../../ceremony/steps.ts'
import type { UnlockedPerson } from '../../vault/people.ts'
import type { Quorum } from '../../vault/quorum.ts'
import { Vault } from '../../vault/vault.ts'
import { recordsOf } from '../context.ts'
import { enrolling } from '../enroll.ts'
import { gatheringAt, type Unlock } from '../gathering.ts'
import { type Closed, type Holding, hold } from '../hold.ts'
import { withLabels } from '../plan/labels.ts'
import { connect, type Room } from '../wiring.ts'
import type { ScreenDesk } from './desk.ts'
import { type Questions, unexpected } from './questions.ts'
import { askSecret } from './secret.ts'

/** What a sitting is about, before anybody has come in: who may, what is held, and how it is run once they are here. */

export type Ended = { done: CeremonyResult } | { closed: Closed }
export type Running = {
  room: Room
  /** Where share files of custodians with a medium of their own are looked for: nowhere without a medium. */
  shares: readonly string[]
  desk: ScreenDesk
  questions: Questions
  seen: (vault: VaultPort<Quorum>) => void
}

export type Table = {
  doing: Shown['doing']
  kind: CeremonyKind
  practice: boolean
  vault: { folder: string; name: string }
  plan: ReadPlan | null
  people: readonly PersonName[]
  threshold: number
  alone: string | null
  /** Null where nobody has a passphrase yet, or nobody's counts. */
  unlock: Unlock | null
  /** People who are here without coming in. */
  here: readonly string[]
  run(present: ReadonlyMap<string, UnlockedPerson>, running: Running): Promise<Ended>
  /** After everything, whatever came of it. */
  leave?(): void
}

/** A plan as the screens show it. */
export const shownPlan = ({ text, digest }: Pick<ReadPlan, 'text' | 'digest'>): NonNullable<Shown['plan']> => ({
  digest: { hex: hexGroups(digest), words: words(digest) },
  lines: fewLines(planInLines(text)),
})

/** A plan of many tenants is read on paper; what is told with every change stays small. */
const MOST_LINES = 400
const fewLines = (lines: readonly string[]): string[] =>
  lines.length <= MOST_LINES
    ? [...lines]
    : [
        ...lines.slice(0, MOST_LINES),
        `… and ${lines.length - MOST_LINES} more lines: they stand in the printed script.`,
      ]

const aloneIn = ({ plan }: ReadPlan): string | null => (plan.kind === 'passphrase' ? plan.person : null)

/** A plan in a vault that exists. Codes of reading its list of people. */
export async function holding(folder: string, read: ReadPlan): Promise<Table> {
  const { anchor, people, threshold, unlock } = await gatheringAt(folder)
  return {
    doing: 'hold',
    kind: read.plan.kind,
    practice: anchor.practice,
    vault: { folder, name: anchor.name },
    plan: read,
    people,
    threshold,
    alone: aloneIn(read),
    unlock,
    here: [],
    run: (present, running) =>
      inVault(folder, present, running, { fresh: true }, async (vault, ports) => {
        await agreeOnPlan(running.questions, read, vault.state)
        const acceptTail = !isAlone(read.plan.kind) && (await tailAccepted(vault, running.desk))
        return runCeremony(ports, vault, read, [], acceptTail)
      }),
  }
}

/** The plan of a new vault, in the home folder. Code `vault-exists`. */
export function creating(home: string, read: ReadPlan & { plan: PlanOf<'genesis'> }): Table {
  const { vault: name, practice, people, threshold } = read.plan
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  const folder = join(home, `${slug || 'vault'}.vault`)
  must(!existsSync(folder), 'vault-exists', `There is a vault at ${folder} already.`)
  const records = recordsOf(folder)
  must(!existsSync(records), 'vault-exists', `Records of an earlier vault of this name lie at ${records}.`, {
    hint: 'Choose another name, or move those records away.',
  })
  return {
    ...{ doing: 'hold', kind: 'genesis', practice, vault: { folder, name }, plan: read, people, threshold },
    ...{ alone: null, unlock: null, here: people.map(({ id }) => id) },
    run: (_, running) => genesis(folder, read, running),
  }
}

/** Going on with the open ceremony of a vault; which one it is, the vault says once it is open. */
export async function resuming(folder: string, open: { kind: CeremonyKind; alone: string | null }): Promise<Table> {
  const { anchor, people, threshold, unlock } = await gatheringAt(folder)
  return {
    ...{ doing: 'resume', kind: open.kind, practice: anchor.practice, vault: { folder, name: anchor.name } },
    ...{ plan: null, people, threshold, alone: open.alone, unlock, here: [] },
    run: (present, running) => {
      let accepted = false
      return inVault(folder, present, running, { fresh: false, accepted: () => accepted }, async (vault, ports) => {
        accepted = open.alone === null && (await tailAccepted(vault, running.desk))
        return resumeCeremony(ports, vault, parsePlan, { confirm: [], acceptTail: accepted })
      })
    },
  }
}

/** Closing the open ceremony of a vault with a reason. */
export async function closing(folder: string, kind: CeremonyKind, reason: string): Promise<Table> {
  const { anchor, people, threshold, unlock } = await gatheringAt(folder)
  return {
    ...{ doing: 'close', kind, practice: anchor.practice, vault: { folder, name: anchor.name } },
    ...{ plan: null, people, threshold, alone: null, unlock, here: [] },
    run: async (present, running) => {
      const ended = await inVault(folder, present, running, { fresh: false }, async (vault, ports) => {
        const acceptTail = await tailAccepted(vault, running.desk)
        return abortCeremony(ports, vault, { reason, acceptTail })
      })
      return 'done' in ended ? { closed: ended.done } : ended
    },
  }
}

/** Opens the vault for those who came and holds what is to be held; the vault is shut in every case. */
async function inVault<T>(
  folder: string,
  present: ReadonlyMap<string, UnlockedPerson>,
  { room, shares, desk, seen }: Running,
  held: Pick<Holding, 'fresh' | 'accepted'>,
  work: (vault: Vault, ports: Ports<Quorum>) => Promise<T>,
): Promise<{ done: T } | { closed: Closed }> {
  const vault = await Vault.openFor(folder, present)
  vault.shareFolders = shares
  const ports = connect({ ...room, desk })
  return hold({ vault: () => vault, ports, ...held }, () => {
    // Only now: where another ceremony is open, nothing of it is this sitting's.
    seen(vault)
    return work(vault, ports)
  })
}

export async function genesis(
  folder: string,
  read: ReadPlan & { plan: PlanOf<'genesis'> },
  { room, desk, questions, seen }: Running,
): Promise<Ended> {
  const choose = () => choosePassphrases(questions, read.plan.people)
  const { ports, made } = enrolling({ ...room, desk }, { folder, choose })
  const watched: typeof ports = {
    ...ports,
    createVault: async (...given) => {
      const vault = await ports.createVault(...given)
      seen(vault)
      return vault
    },
  }
  return hold({ vault: made, ports: watched, fresh: true }, async () => {
    await agreeOnPlan(questions, read)
    return (await runGenesis(watched, read)).result
  })
}

async function choosePassphrases(questions: Questions, people: readonly PersonName[]): Promise<Map<string, string>> {
  const chosen = new Map<string, string>()
  for (const { id, name, role } of people) {
    const taken = (passphrase: string) => [...chosen.values()].includes(passphrase)
    chosen.set(
      id,
      await askSecret(questions, { what: 'new passphrase', owner: { id, name, role }, fresh: true, taken }),
    )
  }
  return chosen
}

/** Everybody sees what today is for before anything begins. Code `comparison-failed` when it is another plan. */
export function agreeOnPlan(questions: Questions, read: ReadPlan, state?: VaultState): Promise<void> {
  const { digest, lines } = shownPlan(read)
  const named = state ? withLabels(lines, state) : lines
  return questions.ask({ ask: 'plan', digest, lines: named }, (answer) => {
    if (answer.give !== 'plan') return unexpected()
    if (answer.same) return { done: undefined }
    throw new KeyriteError('comparison-failed', 'This is not the plan that was reviewed. Nothing was begun.')
  })
}

/** What stands in the vault and no quorum has accepted is shown, and custodians accept it or do not. */
async function tailAccepted(vault: Vault, desk: ScreenDesk): Promise<boolean> {
  if (!vault.tail) return false
  const done =
    openCeremony(vault.state)?.done.map(
      ({ step, at, by, observed }) => `${utcTime(at)} ${step} (${by}): ${observed}`,
    ) ?? []
  const { threshold } = vault.roster
  const title = 'Accept these events as what happened'
  const events = [vault.describeTail(), ...done]
  return (await desk.approveEvents(title, custodiansOf(vault), threshold, events)).length >= threshold
}
