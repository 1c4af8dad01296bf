import { knownKey, knownTenant } from '../../shared/domain/known.ts'
import { type Copy, copiesOf, gradeOf } from '../../shared/domain/ledger.ts'
import { count } from '../../shared/domain/plural.ts'
import type { VaultKey, VaultState } from '../../shared/domain/state.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { type Certificate, signCertificate } from '../../shared/formats/certificate.ts'
import { merkleRootOf } from '../../shared/formats/merkle.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { collectSignOffs } from '../../shared/formats/sign-off.ts'
import { act, type Context, type Outcome } from './context.ts'
import { kidsOf } from './destroy.ts'

/** The certificate of a destruction: what was verified, what was only stated, and what software cannot prove. */

type Destroy = PlanOf<'destroy'>

export async function issueCertificate(context: Context): Promise<Outcome> {
  const plan = context.plan as Destroy
  const { vault, ports } = context
  const { practice } = vault.anchor
  const certificate = certificateFor(context, plan, ports.now())
  const { result, approved } = await act(context, certificate, async (quorum) =>
    signCertificate(certificate, practice, await quorum.root()),
  )
  const ask = (person: string) => ports.desk.agrees(person, digest(result))
  const signatures = await collectSignOffs(digest(result), vault.present.values(), { practice, now: ports.now, ask })
  const open = certificate.keys.flatMap((key) => key.copies).filter((copy) => copy.status === 'open').length
  return {
    observed: `Certificate of ${certificate.grade} ${certificate.certificate}. ${count(open, 'known copy stays', 'known copies stay')} open.`,
    events: [
      approved,
      {
        type: 'certificate-issued',
        certificate: certificate.certificate,
        grade: certificate.grade,
        kids: kidsOf(context),
        statement: result,
        signatures,
      },
    ],
  }
}

function certificateFor(context: Context, plan: Destroy, now: number): Certificate {
  const { state, roster, anchor, present } = context.vault
  const kids = kidsOf(context)
  const keys = kids.map((kid) => certificateKey(state, knownKey(state, kid)))
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
    ...(kids.length > 1 && { merkleRoot: merkleRootOf(kids) }),
    cryptographicErase: cryptographicErase(
      kids.map((kid) => knownKey(state, kid)),
      copies,
    ),
    participants: roster.people
      .filter((person) => present.has(person.id))
      .map(({ id, name, role }) => ({ id, name, role })),
    verified: [
      "The vault's copy is absent from every row and every decrypted page of the new file.",
      ...triedOf(state, context.ceremony),
    ],
    stated: statedOf(copies),
    notProvable: [
      'That no copy exists that nobody knows of.',
      'That this machine, its memory and its storage medium keep nothing; the medium counts as a copy until it is sanitised.',
      'That a runtime told the truth in its receipts.',
      'Custodians who were absent still hold a share of the old quorum secret; it opens nothing that remains.',
    ],
  }
}

/** As many trials as the certificate has room for. */
const TRIED = 18

/** What a quorum met when it tried: a failure is a verified fact of that day and those people, and no more. */
function triedOf(state: VaultState, ceremony: string): string[] {
  const trials = state.trials.filter((one) => one.ceremony === ceremony)
  return trials.slice(0, TRIED).map(({ folder, copy, opened, why }) => {
    const which = copy.startsWith('backup:') ? `backup ${copy.slice(7)} (${folder})` : folder
    const said =
      opened.length > 0 ? `${count(opened.length, 'of the keys', 'of the keys')} opened` : 'none of the keys opened'
    return `A quorum tried to open the keys from ${which}: ${said}. ${why}`.slice(0, 1000)
  })
}

/**
 * NIST SP 800-88 Rev. 2, cryptographic erase: it counts only where the data was never there unencrypted, and every copy of
 * the key that protects it is sanitised. The certificate says which of the two holds.
 */
function cryptographicErase(keys: readonly VaultKey[], copies: readonly Copy[]): Certificate['cryptographicErase'] {
  const foreign = keys.filter((key) => key.imported !== null)
  const open = copies.filter((copy) => copy.status === 'open')
  const alwaysEncrypted = foreign.length === 0
  const everyCopySanitised = open.length === 0
  return {
    holds: alwaysEncrypted && everyCopySanitised,
    alwaysEncrypted,
    everyCopySanitised,
    why: [
      alwaysEncrypted
        ? 'The keys were made here and never written unencrypted by Keyrite.'
        : `${count(foreign.length, 'key was', 'keys were')} imported: it is not known that ${foreign.length === 1 ? 'it was' : 'they were'} never written unencrypted.`,
      everyCopySanitised
        ? 'Every known copy is closed: verified, stated or attested as the list of copies says.'
        : `${count(open.length, 'known copy is', 'known copies are')} open, so not every copy of the wrapping keys is known to be sanitised.`,
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
