import { decideDestroy, knownKey, knownTenant } from '../../shared/domain/decide.ts'
import { type Copy, copiesOf, gradeOf } from '../../shared/domain/ledger.ts'
import { count } from '../../shared/domain/plural.ts'
import type { VaultKey, VaultState } from '../../shared/domain/state.ts'
import { must } from '../../shared/errors.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { type Certificate, signCertificate } from '../../shared/formats/certificate.ts'
import { merkleRootOf } from '../../shared/formats/merkle.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { signOff } from '../../shared/formats/sign-off.ts'
import { act, type Context, closing, listed, type Outcome } from './context.ts'

/** Destruction: the most careful ceremony. It cannot be undone, and auditors read it first. */

type Destroy = PlanOf<'destroy'>

/** What each custodian must type: the key's first characters, or for a batch the count and the digest over all. */
export function confirmationFor(kids: readonly string[]): string {
  const [only] = kids
  return kids.length === 1 && only
    ? `DESTROY ${only.slice(0, 8)}`
    : `DESTROY ${kids.length} ${merkleRootOf(kids).slice(0, 8)}`
}

/** True when every key of the plan was erased in an earlier ceremony: this one looks again, and closes copies that were open. */
const erasedBefore = (state: VaultState, kids: readonly string[]): boolean =>
  kids.every((kid) => state.keys.get(kid)?.destroyed)

/** A key is erased once. A plan for erased keys must bring something new: an attestation, or the proof that was never made. */
function decideKeys(state: VaultState, plan: Destroy, now: number): VaultKey[] {
  const fresh = () => plan.attestations.length > 0 || plan.keys.some((kid) => !knownKey(state, kid).absenceProved)
  if (!erasedBefore(state, plan.keys) || !fresh()) return decideDestroy(state, plan.keys, now)
  must(new Set(plan.keys).size === plan.keys.length, 'plan-invalid', 'A key stands twice in the plan.')
  return plan.keys.map((kid) => knownKey(state, kid))
}

/** Dependencies, attestations and the typed words, before the ceremony starts and again in its steps. */
export function checkDestroy(context: Pick<Context, 'vault' | 'confirm'>, plan: Destroy, now: number): VaultKey[] {
  const keys = decideKeys(context.vault.state, plan, now)
  const copies = new Set(keys.flatMap((key) => copiesOf(context.vault.state, key)).map((copy) => copy.id))
  for (const { by, copy } of plan.attestations) {
    must(
      context.vault.roster.people.some((person) => person.id === by),
      'plan-invalid',
      `The plan names ${by} as attesting ${copy}, but the roster does not know that person.`,
    )
    must(
      context.vault.present.has(by),
      'plan-invalid',
      `The plan names ${by} as attesting ${copy}, but ${by} is not present: whoever attests signs the record and the certificate.`,
    )
    must(copies.has(copy), 'plan-invalid', `The plan attests ${copy}, which is no known copy of these keys.`)
    must(
      copy !== 'medium' || keys.every((key) => key.absenceProved),
      'plan-invalid',
      'The medium cannot be attested in the ceremony that erases the keys on it: it can be sanitised only afterwards. Leave this attestation out, and bring it later in a plan for the same keys.',
    )
  }
  checkConfirmation(context, plan)
  return keys
}

function checkConfirmation({ confirm }: Pick<Context, 'confirm'>, plan: Destroy): void {
  const wanted = confirmationFor(plan.keys)
  must(confirm.includes(wanted), 'confirmation-missing', `A destruction is confirmed by typing exactly: ${wanted}`)
}

export async function checkDependencies(context: Context): Promise<Outcome> {
  const plan = context.plan as Destroy
  const keys = checkDestroy(context, plan, context.ports.now())
  const open = keys.flatMap((key) => copiesOf(context.vault.state, key)).filter((copy) => copy.status === 'open').length
  return {
    observed: `${listed(keys)}: ${erasedBefore(context.vault.state, plan.keys) ? 'erased already' : 'no longer needed'}. ${count(open, 'known copy is', 'known copies are')} open now.`,
    events: plan.attestations.map((said) => ({ type: 'copy-attested', kids: [...plan.keys], ...said })),
  }
}

export async function confirmDestruction(context: Context): Promise<Outcome> {
  const plan = context.plan as Destroy
  checkConfirmation(context, plan)
  return { observed: `Typed: ${confirmationFor(plan.keys)} (given by automation, not by each custodian)` }
}

export async function destroyBytes(context: Context): Promise<Outcome> {
  const plan = context.plan as Destroy
  const { vault, ports } = context
  if (erasedBefore(vault.state, plan.keys)) {
    const { approved } = await act(context, { destroy: plan.keys }, async () => undefined)
    return { observed: `${alreadyDone(vault.state, plan.keys)} Nothing is left to erase.`, events: [approved] }
  }
  decideDestroy(vault.state, plan.keys, ports.now())
  const ids = plan.keys.flatMap((kid) => [`key:${kid}`, `wrap:${kid}`])
  const { approved } = await act(context, { destroy: plan.keys }, async () => undefined)
  const marks = vault.marksOf(ids)
  return {
    observed: `${count(ids.length, 'row')} overwritten and deleted.`,
    events: [approved, { type: 'keys-destroyed', kids: [...plan.keys], reason: plan.reason, marks }],
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
  const proved = vault.roster.people
    .filter((person) => person.role === 'custodian' && vault.present.has(person.id))
    .map((person) => person.id)
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
  const plan = context.plan as Destroy
  const { marks } = context.vault.state
  const ours = Object.fromEntries(Object.entries(marks).filter(([id]) => plan.keys.some((kid) => id.endsWith(kid))))
  const { rows, pages } = context.vault.proveAbsence(ours)
  return {
    observed: `Nothing of the ${count(Object.keys(ours).length, 'erased row')} is in the ${count(rows, 'remaining row')} and the ${count(pages, 'decrypted page')}.`,
    events: [{ type: 'absence-proved', kids: [...plan.keys], rows, pages }],
  }
}

export async function issueCertificate(context: Context): Promise<Outcome> {
  const plan = context.plan as Destroy
  const { vault, ports } = context
  const { practice } = vault.anchor
  const certificate = certificateFor(context, plan, ports.now())
  const { result, approved } = await act(context, certificate, async (quorum) =>
    signCertificate(certificate, practice, await quorum.root()),
  )
  const signatures: Record<string, string> = {}
  for (const [id, person] of vault.present)
    signatures[id] = await signOff({ of: digest(result), agrees: true, at: ports.now() }, practice, person.signer)
  const open = certificate.keys.flatMap((key) => key.copies).filter((copy) => copy.status === 'open').length
  return {
    observed: `Certificate of ${certificate.grade} ${certificate.certificate}. ${count(open, 'known copy stays', 'known copies stay')} open.`,
    events: [
      approved,
      {
        type: 'certificate-issued',
        certificate: certificate.certificate,
        grade: certificate.grade,
        kids: [...plan.keys],
        statement: result,
        signatures,
      },
    ],
  }
}

function certificateFor(context: Context, plan: Destroy, now: number): Certificate {
  const { state, roster, anchor, present } = context.vault
  const keys = plan.keys.map((kid) => certificateKey(state, knownKey(state, kid)))
  const copies = keys.flatMap((key) => key.copies)
  return {
    version: 1,
    certificate: `${context.ceremony}-C1`,
    ceremony: context.ceremony,
    vaultId: anchor.vaultId,
    vaultName: state.name,
    grade: gradeOf(copies),
    issuedAt: now,
    reason: plan.reason,
    method: [
      'Rows overwritten with zeros of the same length, then deleted.',
      'New quorum secret; all remaining keys wrapped anew.',
      'Vault written to a new file under a new file key.',
    ],
    keys,
    participants: roster.people
      .filter((person) => present.has(person.id))
      .map(({ id, name, role }) => ({ id, name, role })),
    verified: ["The vault's copy is absent from every row and every decrypted page of the new file."],
    stated: statedOf(copies),
    notProvable: [
      'That no copy exists that nobody knows of.',
      'That this machine, its memory and its storage medium keep nothing; the medium counts as a copy until it is sanitised.',
      'That a runtime told the truth in its receipts.',
      'Custodians who were absent still hold a share of the old quorum secret; it opens nothing that remains.',
    ],
  }
}

const ATTESTED =
  'Each attestation is the word of the person named in it, who was present in the ceremony named there. Their own sign-off on its record and certificate is their signature.'
/** As many lines as the certificate has room for; each key's own copies are listed with the key. */
const STATED = 18

function statedOf(copies: readonly Copy[]): string[] {
  const closed = copies.filter((copy) => copy.status === 'stated' || copy.status === 'attested')
  const lines = [...new Set(closed.map((copy) => `${copy.what}: ${copy.evidence}`))]
  const rest = lines.length - STATED
  return [
    ...lines.slice(0, STATED),
    ...(rest > 0 ? [`${count(rest, 'more statement')}, listed with each key.`] : []),
    ...(closed.some((copy) => copy.id === 'medium' || copy.id.startsWith('runtime:')) ? [ATTESTED] : []),
  ]
}

function certificateKey(state: VaultState, key: VaultKey): Certificate['keys'][number] {
  const tenant = knownTenant(state, key.tenant)
  return {
    tenant: key.tenant,
    tenantName: tenant.name,
    issuer: tenant.issuer,
    kid: key.kid,
    label: key.label,
    spec: key.spec,
    signFrom: key.times.signFrom,
    signUntil: key.times.signUntil,
    destroyedAt: key.destroyed?.at ?? 0,
    compromised: key.compromised !== null,
    copies: copiesOf(state, key),
  }
}
