import { chosenKeys, decideDestroy, openCopiesOf, waitingUntil } from '../../shared/domain/destruction.ts'
import type { RestoreTrial, VaultEvent } from '../../shared/domain/events.ts'
import { knownKey } from '../../shared/domain/known.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { count } from '../../shared/domain/plural.ts'
import type { VaultKey, VaultState } from '../../shared/domain/state.ts'
import { utcTime } from '../../shared/domain/utc.ts'
import { must } from '../../shared/errors.ts'
import { merkleRootOf } from '../../shared/formats/merkle.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { mustBePresent } from './attest.ts'
import { act, actOn, type Context, closing, custodiansOf, listed, type Outcome } from './context.ts'

/** Destruction: the most careful ceremony. It cannot be undone, and auditors read it first. */

type Destroy = PlanOf<'destroy'>

/** What each custodian must type: the key's first characters, or for a batch the count and the digest over all. */
export function confirmationFor(kids: readonly string[]): string {
  const [only] = kids
  return kids.length === 1 && only
    ? `DESTROY ${only.slice(0, 8)}`
    : `DESTROY ${kids.length} ${merkleRootOf(kids).slice(0, 8)}`
}

/** True when every key was erased in an earlier ceremony: this one looks again, and closes copies that were open. */
const erasedBefore = (state: VaultState, kids: readonly string[]): boolean =>
  kids.every((kid) => state.keys.get(kid)?.destroyed)

/** What this ceremony is about: fixed in its first step, so that nothing joins or leaves while it waits. */
export function kidsOf({ vault, ceremony }: Pick<Context, 'vault' | 'ceremony'>): string[] {
  const kids = vault.state.chosen.get(ceremony)
  must(kids, 'ceremony-conflict', 'The keys of this destruction were not chosen yet.')
  return kids
}

type Decided = { keys: VaultKey[]; kids: string[]; leftOut: readonly { key: VaultKey; why: string }[] }

/** A key is erased once. A plan for erased keys must bring something new: an attestation, a copy to try, or the proof that was never made. */
function decideKeys(state: VaultState, plan: Destroy, now: number): Decided {
  const { kids, leftOut } = chosenKeys(state, plan, now)
  const news = plan.attestations.length + plan.negativeRestore.length > 0
  const fresh = () => news || kids.some((kid) => !knownKey(state, kid).absenceProved)
  if (!erasedBefore(state, kids) || !fresh()) return { keys: decideDestroy(state, kids, now), kids, leftOut }
  must(new Set(kids).size === kids.length, 'plan-invalid', 'A key stands twice in the plan.')
  return { keys: kids.map((kid) => knownKey(state, kid)), kids, leftOut }
}

/** Dependencies, attestations and the words given beforehand, before the ceremony starts and again in its steps. */
export function checkDestroy(
  context: Pick<Context, 'vault' | 'confirm'> & { ports: Pick<Context['ports'], 'desk'> },
  plan: Destroy,
  now: number,
): Decided {
  const { state } = context.vault
  const decided = decideKeys(state, plan, now)
  const copies = new Set(decided.keys.flatMap((key) => copiesOf(state, key)).map((copy) => copy.id))
  for (const { by, copy } of plan.attestations) {
    mustBePresent(context.vault, by, copy)
    must(copies.has(copy), 'plan-invalid', `The plan attests ${copy}, which is no known copy of these keys.`)
    must(
      copy !== 'medium' || decided.keys.every((key) => key.absenceProved),
      'plan-invalid',
      'The medium cannot be attested in the ceremony that erases the keys on it: it can be sanitised only afterwards. Leave this attestation out, and bring it later in a plan for the same keys.',
    )
  }
  if (context.ports.desk.automated) mustBeGiven(context, decided.kids)
  return decided
}

function mustBeGiven({ confirm }: Pick<Context, 'confirm'>, kids: readonly string[]): void {
  const wanted = confirmationFor(kids)
  must(confirm.includes(wanted), 'confirmation-missing', `A destruction is confirmed by typing exactly: ${wanted}`)
}

export async function checkDependencies(context: Context): Promise<Outcome> {
  const plan = context.plan as Destroy
  const { vault, ports, ceremony } = context
  const { keys, kids, leftOut } = checkDestroy(context, plan, ports.now())
  const open = openCopiesOf(vault.state, keys)
  const [first] = leftOut
  const without = first
    ? ` Left out: ${listed(leftOut.map(({ key }) => key))}; ${first.key.label}, because ${first.why}.`
    : ''
  return {
    observed: `${listed(keys)}: ${erasedBefore(vault.state, kids) ? 'erased already' : 'no longer needed'}. ${count(open, 'known copy is', 'known copies are')} open now.${without}`,
    events: [
      { type: 'keys-chosen', ceremony, kids },
      ...plan.attestations.map((said): VaultEvent => ({ type: 'copy-attested', kids, ...said })),
    ],
  }
}

/** Each custodian types the words, and compliance with them; words given beforehand are automation, and called so. */
export async function confirmDestruction(context: Context): Promise<Outcome> {
  const { vault, ports, confirm } = context
  const words = confirmationFor(kidsOf(context))
  if (confirm.includes(words)) return { observed: `Typed: ${words} (given by automation, not by each custodian)` }
  const witnesses = vault.roster.people.filter(({ id, role }) => role === 'compliance' && vault.present.has(id))
  const people = [...custodiansOf(vault), ...witnesses.map(({ id }) => id)]
  return { observed: `Typed: ${words} (${await ports.desk.confirm(words, people)})` }
}

/** Where a policy asks for it, the ceremony stops here until the time has passed. Code `cooling-off`, naming when. */
export async function coolOff({ vault, ports, ceremony }: Context): Promise<Outcome> {
  const open = vault.state.ceremonies.get(ceremony)
  const until = open ? waitingUntil(vault.state, open) : null
  if (until === null) return { observed: 'No policy of these tenants asks to wait.' }
  mustBeOver(until, ports.now())
  return { observed: `The time to think again ended on ${utcTime(until)}, as the policy asks.` }
}

/** Code `cooling-off`. */
export function mustBeOver(until: number, now: number): void {
  must(now >= until, 'cooling-off', `This destruction is confirmed, and waits until ${utcTime(until)}.`, {
    lost: 'Every step up to the confirmation is kept; nothing was erased.',
  })
}

export async function destroyBytes(context: Context): Promise<Outcome> {
  const plan = context.plan as Destroy
  const { vault, ports } = context
  const kids = kidsOf(context)
  if (erasedBefore(vault.state, kids)) {
    const { approved } = await act(context, { destroy: kids }, async () => undefined)
    return { observed: `${alreadyDone(vault.state, kids)} Nothing is left to erase.`, events: [approved] }
  }
  decideDestroy(vault.state, kids, ports.now())
  const ids = kids.flatMap((kid) => [`key:${kid}`, `wrap:${kid}`])
  const { approved } = await act(context, { destroy: kids }, async () => undefined)
  const marks = vault.marksOf(ids)
  return {
    observed: `${count(ids.length, 'row')} overwritten and deleted.`,
    events: [approved, { type: 'keys-destroyed', kids: [...kids], reason: plan.reason, marks }],
    remove: ids,
  }
}

/** Says when keys that were erased before were erased, and where their absence was proved. */
function alreadyDone(state: VaultState, kids: readonly string[]): string {
  const proofs = new Set(kids.map((kid) => state.keys.get(kid)?.absenceProved?.ceremony))
  const named = [...proofs].filter((id) => id != null)
  const done = 'Overwritten and deleted already'
  return named.length > 0 && named.length <= 10 ? `${done} in ${named.join(', ')}.` : `${done}.`
}

export async function newEpoch(context: Context): Promise<Outcome> {
  const { vault, ports } = context
  const proved = custodiansOf(vault)
  const all = vault.roster.people.filter((person) => person.role === 'custodian').length
  const observed = `New quorum secret; every remaining key re-wrapped. ${proved.length} of ${all} custodians prove their new share now${proved.length < all ? '; the others prove theirs when they next come' : ''}.`
  const epoch = vault.roster.epoch + 1
  await act(context, { epoch }, async (quorum, approved) => {
    await vault.activateEpoch(quorum, ports.now(), context.actor, () => [approved, closing(context, observed)])
  })
  for (const person of proved) await vault.proveShare(person)
  vault.commit(
    proved.map((person) => ({ type: 'share-proved', person, epoch })),
    ports.now(),
    context.actor,
  )
  return { observed, committed: true }
}

export async function newFile(context: Context): Promise<Outcome> {
  const observed = 'The vault is in a new file under a new file key, compared row by row.'
  await context.vault.moveToNewFile(() => [closing(context, observed)], context.ports.now(), context.actor)
  return { observed, committed: true }
}

export async function proveAbsence(context: Context): Promise<Outcome> {
  const { marks } = context.vault.state
  const kids = new Set(kidsOf(context))
  const ours = Object.fromEntries(Object.entries(marks).filter(([id]) => kids.has(id.slice(id.indexOf(':') + 1))))
  const { rows, pages } = context.vault.proveAbsence(ours)
  return {
    observed: `Nothing of the ${count(Object.keys(ours).length, 'erased row')} is in the ${count(rows, 'remaining row')} and the ${count(pages, 'decrypted page')}.`,
    events: [{ type: 'absence-proved', kids: [...kids], rows, pages }],
  }
}

/** The negative restore test: a real quorum tries to open each erased key from every backup at hand. */
export async function tryRestore(context: Context): Promise<Outcome> {
  const { vault, ports } = context
  const folders = [...(context.plan as Destroy).negativeRestore]
  if (folders.length === 0) return { observed: 'No backup was brought to be tried.' }
  const kids = kidsOf(context)
  const objects = { tryRestore: folders, keys: kids }
  const { result: trials, approved } = await act(context, objects, async () => {
    const tried: RestoreTrial[] = []
    for (const folder of folders) {
      const { opened, why, ...copy } = await ports.copies.tryKeys(vault, folder, kids, actOn(context, objects))
      tried.push({ folder, copy: copyTried(vault.state, copy, folder), opened, why: why.slice(0, 500) })
    }
    return tried
  })
  const said = trials.map(({ folder, opened, why }) => `${folder}: ${count(opened.length, 'key')} opened. ${why}`)
  return {
    observed: said.join(' ').slice(0, 1900),
    events: [approved, { type: 'restore-tried', folders, kids, trials }],
  }
}

/** A backup is known by where its history ends, whatever its folder is called now. */
function copyTried(state: VaultState, copy: { seq: number | null; head?: string }, folder: string): string {
  const known = [...state.backups.values()].find((one) => one.seq === copy.seq && one.head === copy.head)
  const named = [...state.backups.values()].find((one) => one.made?.folder === folder)
  const backup = known ?? (copy.seq === null ? named : undefined)
  return backup ? `backup:${backup.number}` : `found:${folder}`
}
