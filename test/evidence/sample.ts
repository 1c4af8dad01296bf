import { DAY, DEFAULT_POLICY, HOUR } from '../../shared/domain/policy.ts'
import { firstKey, nextKey } from '../../shared/domain/schedule.ts'
import { SCRIPTS, SIGN_OFF } from '../../shared/domain/script.ts'
import { type Approval, signApproval } from '../../shared/formats/approval.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { type Certificate, type CertificateFile, signCertificate } from '../../shared/formats/certificate.ts'
import { signCheckpoint } from '../../shared/formats/checkpoint.ts'
import { signAcceptance, signEnrollment } from '../../shared/formats/enrollment.ts'
import { type Evidence, type EvidenceBody, evidenceDigest } from '../../shared/formats/evidence.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import type { Ed25519Jwk, P256Jwk, StatementSigner } from '../../shared/formats/jws.ts'
import {
  type CeremonyRecord,
  closingObjects,
  type RecordBody,
  recordDigest,
  rosterIndexAt,
  scriptOf,
} from '../../shared/formats/record.ts'
import { type Roster, signRoster } from '../../shared/formats/roster.ts'
import { collectSignOffs, type Verdict } from '../../shared/formats/sign-off.ts'
import { signTrustAnchor } from '../../shared/formats/trust-anchor.ts'

/** A vault of throw-away keys that signs real statements, for tests and for looking at pages. */

type Jwk = { x: string; y?: string }
type Person = { id: string; name: string; role: 'custodian' | 'compliance' | 'administrator'; signer: StatementSigner }

async function newKey(alg: 'ES256' | 'Ed25519') {
  const algorithm = alg === 'ES256' ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'Ed25519' }
  const pair = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair
  const { x, y = '' } = (await crypto.subtle.exportKey('jwk', pair.publicKey)) as Jwk
  return { x, y, key: pair.privateKey }
}

export async function newP256(): Promise<{ jwk: P256Jwk; signer: StatementSigner }> {
  const { x, y, key } = await newKey('ES256')
  const jwk: P256Jwk = { kty: 'EC', crv: 'P-256', x, y }
  return { jwk, signer: { kid: thumbprint(jwk), alg: 'ES256', key } }
}

export async function newEd25519(kid?: string): Promise<{ jwk: Ed25519Jwk; signer: StatementSigner }> {
  const { x, key } = await newKey('Ed25519')
  const jwk: Ed25519Jwk = { kty: 'OKP', crv: 'Ed25519', x }
  return { jwk, signer: { kid: kid ?? thumbprint(jwk), alg: 'Ed25519', key } }
}

export const AT = Date.UTC(2026, 5, 9, 14, 0, 0) / 1000
export const VAULT_ID = '0e7c1a52-6f0b-4a3e-9a44-2f6b6f3d8a10'
const FILL = digest('something')
export const SIGNS = ['custodian-1', 'custodian-3', 'custodian-5']

const PEOPLE = [
  ...[1, 2, 3, 4, 5].map((n) => ({ id: `custodian-${n}`, name: `Custodian ${n}`, role: 'custodian' as const })),
  { id: 'compliance-1', name: 'Compliance officer 1', role: 'compliance' as const },
  { id: 'administrator', name: 'Administrator', role: 'administrator' as const },
]

export type SampleOptions = { practice?: boolean; name?: string; tenantName?: string; tenants?: number }

export async function newSampleVault(options: SampleOptions = {}) {
  const { practice = false, name = 'Harbour vault' } = options
  const root = await newP256()
  const successor = await newP256()
  const people: Person[] = []
  const rosterPeople: Roster['people'] = []
  const kdf = { algorithm: 'argon2id' as const, memoryKiB: 65_536, passes: 3, lanes: 1 as const }
  for (const person of PEOPLE) {
    const signing = await newEd25519(person.id)
    people.push({ ...person, signer: signing.signer })
    rosterPeople.push({ ...person, encryption: (await newP256()).jwk, signing: signing.jwk, kdf })
  }
  const earlier: Roster = {
    vaultId: VAULT_ID,
    practice,
    epoch: 1,
    threshold: 3,
    people: rosterPeople,
    shares: [1, 2, 3, 4, 5].map((n) => ({ person: `custodian-${n}`, x: n, commitment: FILL })),
    secretCommitment: FILL,
  }
  const roster: Roster = { ...earlier, epoch: 2, secretCommitment: digest('another secret') }
  const earlierJws = await signRoster(earlier, root.signer)
  const rosterJws = await signRoster(roster, root.signer)
  const anchor = await signTrustAnchor(
    { vaultId: VAULT_ID, name, practice, root: root.jwk, successor: thumbprint(successor.jwk), iat: AT - 200 * DAY },
    root.signer,
  )
  const present = people.filter((person) => person.role !== 'custodian' || SIGNS.includes(person.id))
  const checkpoint = await signCheckpoint(
    { vaultId: VAULT_ID, seq: 214, head: FILL, roster: digest(rosterJws), sealed: FILL, iat: AT + HOUR },
    practice,
    root.signer,
  )
  return { practice, name, root, roster, rosterJws, earlierJws, anchor, checkpoint, people, present, options }
}
export type SampleVault = Awaited<ReturnType<typeof newSampleVault>>

export const namesOf = (people: readonly Person[]) => people.map(({ id, name, role }) => ({ id, name, role }))

export async function signAll(
  vault: SampleVault,
  of: string,
  ids: readonly string[] = vault.present.map((person) => person.id),
  ask: (person: string) => Promise<Verdict> = async () => ({ agrees: true }),
): Promise<Record<string, string>> {
  let at = AT + 1900
  const now = () => {
    at += 61
    return at
  }
  const people = vault.people.filter(({ id }) => ids.includes(id))
  return collectSignOffs(of, people, { practice: vault.practice, now, ask })
}

export const approve = (vault: SampleVault, approval: Approval, ids: readonly string[] = SIGNS): Promise<string[]> =>
  Promise.all(
    vault.people
      .filter((person) => ids.includes(person.id))
      .map((person) => signApproval(approval, vault.practice, person.signer)),
  )

const PLAN = {
  kind: 'destroy',
  keys: [digest('contoso key')],
  reason: 'End of schedule; policy destroys at retirement',
  attestations: [
    { copy: 'runtime:eu-1', by: 'administrator', statement: 'No snapshot and no backup of eu-1 holds the key' },
  ],
}

/** A destruction with all its steps, approvals and signatures; `change` alters the body before anybody signs. */
export async function sampleRecord(
  vault: SampleVault,
  change: (body: RecordBody) => void = () => {},
): Promise<CeremonyRecord> {
  const ceremony = 'D-2026-009'
  const plan = `${JSON.stringify(PLAN, null, 2)}\n`
  const planDigest = digest(plan)
  const approvals: RecordBody['approvals'] = []
  for (const { id, quorum } of SCRIPTS.destroy) {
    if (!quorum) continue
    const objects = digest(id)
    const epoch = 1 + rosterIndexAt('destroy', id)
    const act = { vaultId: VAULT_ID, epoch, ceremony, planDigest, step: id, objects }
    approvals.push({ step: id, objects, approvals: await approve(vault, act) })
  }
  const observed: Record<string, string> = {
    'check-machine': 'Self-test passed: 9 algorithms.',
    'check-dependencies': 'contoso-rs256-2026-02: no longer needed. 5 known copies are open now.',
    'confirm-destruction': 'Typed: DESTROY Vq3uT8dZ',
    'destroy-bytes': '2 rows overwritten and deleted.',
    'new-epoch': 'New quorum secret; every remaining key re-wrapped. 3 of 5 custodians prove their new share now.',
    'new-file': 'The vault is in a new file under a new file key, compared row by row.',
    'prove-absence': 'Nothing of the 2 erased rows is in 41 remaining rows and 96 decrypted pages.',
    'issue-certificate': 'Certificate of deletion D-2026-009-C1. 2 known copies stay open.',
  }
  const times = [0, 130, 420, 610, 660, 790, 1450, 1700]
  const body: RecordBody = {
    version: 1,
    ceremony,
    kind: 'destroy',
    vault: { id: VAULT_ID, name: vault.name, practice: vault.practice },
    anchor: vault.anchor,
    rosters: [vault.earlierJws, vault.rosterJws],
    plan,
    planDigest,
    startedAt: AT,
    participants: namesOf(vault.present),
    attendance: [{ at: AT, present: vault.present.map((person) => person.id) }],
    clock: { offset: 0, by: ['administrator', 'compliance-1'] },
    headCard: null,
    script: scriptOf('destroy'),
    steps: SCRIPTS.destroy.map(({ id, who }, index) => ({
      step: id,
      at: AT + (times[index] ?? 1700),
      by: who === 'compliance' ? 'compliance-1' : 'administrator',
      observed: observed[id] ?? 'Done as the script says.',
    })),
    approvals,
    deviations: [
      {
        at: AT + 700,
        by: 'compliance-1',
        expected: 'Five custodians prove their new share.',
        happened: 'Custodians 2 and 4 are travelling.',
        action: 'They prove theirs at the next ceremony.',
      },
    ],
    certificates: [],
    events: { from: 190, to: 213, head: FILL },
  }
  change(body)
  return closeRecord(vault, body)
}

/** The body as M custodians close it and everybody present signs it, whatever it says. */
export async function closeRecord(
  vault: SampleVault,
  body: RecordBody,
  {
    signers,
    custodians,
    epoch = 2,
    ask,
  }: {
    signers?: readonly string[]
    custodians?: readonly string[]
    epoch?: number
    ask?: (person: string) => Promise<Verdict>
  } = {},
): Promise<CeremonyRecord> {
  const { ceremony, planDigest } = body
  const objects = digest(canonicalText(closingObjects(recordDigest(body))))
  const act = { vaultId: VAULT_ID, epoch, ceremony, planDigest, step: SIGN_OFF.id, objects }
  return {
    record: body,
    signatures: await signAll(vault, recordDigest(body), signers, ask),
    closing: { objects, approvals: await approve(vault, act, custodians) },
  }
}

const copy = (
  id: string,
  what: string,
  holder: string,
  status: 'open' | 'verified' | 'stated' | 'attested',
  evidence: string,
) => ({ id, what, holder, status, evidence })

export const COPIES = [
  copy('vault', 'Vault', 'Administrator', 'verified', 'Row overwritten and deleted; absence proved on decrypted pages'),
  copy('file:eu-1:1', 'Material file of handoff 1', 'Issuer operators', 'stated', 'Transport key erased, receipt 4'),
  copy(
    'runtime:eu-1',
    'Runtime eu-1',
    'Issuer operators',
    'stated',
    'Erasure receipt 31; administrator: no snapshot holds the key',
  ),
  copy('runtime:us-1', 'Runtime us-1', 'Issuer operators', 'open', 'No erasure receipt yet'),
  copy('medium', 'Vault medium', 'Administrator', 'open', 'Not yet sanitised'),
]

export function sampleCertificate(vault: SampleVault, keys = 1): Certificate {
  return {
    version: 1,
    certificate: 'D-2026-009-C1',
    ceremony: 'D-2026-009',
    vaultId: VAULT_ID,
    vaultName: vault.name,
    grade: 'deletion',
    issuedAt: AT + 1700,
    reason: 'End of schedule; policy destroys at retirement',
    method: [
      'Rows overwritten and deleted',
      'New quorum secret; all remaining keys wrapped anew',
      'New file under a new file key',
    ],
    keys: Array.from({ length: keys }, (_, index) => ({
      tenant: 'contoso',
      tenantName: vault.options.tenantName ?? 'Contoso',
      issuer: 'https://id.contoso.example',
      kid: digest(index === 0 ? 'contoso key' : `contoso key ${index}`),
      label: 'contoso-rs256-2026-02',
      spec: 'RS256-3072' as const,
      signFrom: Date.UTC(2026, 1, 2) / 1000,
      signUntil: Date.UTC(2026, 4, 3) / 1000,
      destroyedAt: AT + 610,
      compromised: false,
      copies: COPIES,
    })),
    participants: namesOf(vault.present),
    verified: [
      'Copy 1 is absent from every row and every decrypted page.',
      'Three custodians then tried to open the key here, and could not.',
    ],
    stated: ['Copies 2 and 3 are gone, on the word and signature of those who held them.'],
    notProvable: ['That no unknown copy exists, and that this machine was honest.'],
  }
}

export async function sampleCertificateFile(vault: SampleVault, certificate: Certificate): Promise<CertificateFile> {
  const jws = await signCertificate(certificate, vault.practice, vault.root.signer)
  return { certificate: jws, roster: vault.rosterJws, signatures: await signAll(vault, digest(jws)) }
}

export async function sampleRuntime(vault: SampleVault, runtimeId = 'eu-1') {
  const receipts = await newEd25519()
  const transport = await newP256()
  const enrollment = await signEnrollment(
    {
      runtimeId,
      environment: 'production',
      practice: vault.practice,
      vaultId: VAULT_ID,
      receiptKey: receipts.jwk,
      transportKey: transport.jwk,
      iat: AT - 150 * DAY,
    },
    receipts.signer,
  )
  const acceptance = await signAcceptance(
    {
      vaultId: VAULT_ID,
      runtimeId,
      environment: 'production',
      enrollment: digest(enrollment),
      receiptKey: receipts.jwk,
      iat: AT - 149 * DAY,
    },
    vault.practice,
    vault.root.signer,
  )
  return { runtimeId, enrollment, acceptance, receipts, transport }
}

type EvidenceTenant = EvidenceBody['tenants'][number]

function sampleTenant(name: string, start: number, certificate: string): EvidenceTenant {
  const tenant = name.toLowerCase().replace(/[^a-z]/g, '') || 'unnamed'
  const policy = { ...DEFAULT_POLICY, signingAlgorithms: ['RS256-3072' as const] }
  const first = firstKey(policy, start)
  const second = nextKey(policy, first, start)
  const third = nextKey(policy, second, start)
  const keys = [first, second, third].map((times, index): EvidenceTenant['keys'][number] => {
    const month = new Date(times.signFrom * 1000).toISOString().slice(0, 7)
    const gone = index === 0 && tenant === 'contoso'
    const state = gone
      ? 'destroyed'
      : AT < times.signFrom
        ? 'pre-activation'
        : AT < times.signUntil
          ? 'active'
          : 'deactivated'
    return {
      kid: gone ? digest('contoso key') : digest(`${tenant} ${index}`),
      label: `${tenant}-rs256-${month}`,
      spec: 'RS256-3072',
      state,
      times,
      bornAt: start,
      bornIn: 'O-2026-002',
      generator: 'Node 24.21.0, OpenSSL 3.5.4, fresh process',
      compromised: null,
      destroyed: gone ? { at: AT + 610, reason: 'End of schedule' } : null,
      certificate: gone ? { id: certificate, grade: 'deletion' } : null,
      copies: gone ? COPIES : [],
    }
  })
  return { tenant, name, issuer: `https://id.${tenant}.example`, policy, keys }
}

export async function sampleEvidence(
  vault: SampleVault,
  parts: { record: CeremonyRecord; certificate: CertificateFile; acceptance: string },
  change: (body: EvidenceBody) => void = () => {},
): Promise<Evidence> {
  const names = ['Acme', vault.options.tenantName ?? 'Fabrikam', 'Contoso']
  for (let index = 3; index < (vault.options.tenants ?? 3); index++)
    names.push(`Tenant ${String.fromCharCode(97 + index)}`)
  const pairs = names.length * (names.length - 1)
  const body: EvidenceBody = {
    version: 1,
    vault: { id: VAULT_ID, name: vault.name, practice: vault.practice },
    builtAt: AT + 2 * HOUR,
    anchor: vault.anchor,
    roster: vault.rosterJws,
    checkpoint: vault.checkpoint,
    tenants: names.map((name, index) =>
      sampleTenant(name, AT - (name === 'Contoso' ? 127 : 40 + index * 17) * DAY, 'D-2026-009-C1'),
    ),
    ceremonies: [
      {
        ceremony: 'G-2026-001',
        kind: 'genesis',
        startedAt: AT - 200 * DAY,
        endedAt: AT - 200 * DAY + HOUR,
        outcome: 'completed',
        record: FILL,
        present: PEOPLE.map((one) => one.id),
      },
      {
        ceremony: 'O-2026-002',
        kind: 'onboard',
        startedAt: AT - 127 * DAY,
        endedAt: AT - 127 * DAY + HOUR,
        outcome: 'completed',
        record: digest('o'),
        present: namesOf(vault.present).map((one) => one.id),
      },
      {
        ceremony: 'D-2026-009',
        kind: 'destroy',
        startedAt: AT,
        endedAt: AT + HOUR,
        outcome: 'completed',
        record: recordDigest(parts.record.record),
        present: namesOf(vault.present).map((one) => one.id),
      },
    ],
    runtimes: [
      {
        runtimeId: 'eu-1',
        environment: 'production',
        acceptance: parts.acceptance,
        handoffs: [
          { number: 1, at: AT - 120 * DAY, manifest: digest('m1'), keys: 6 },
          { number: 2, at: AT - 30 * DAY, manifest: digest('m2'), keys: 3 },
        ],
        receipts: { upTo: 31, head: digest('receipt 31') },
      },
    ],
    isolation: {
      at: AT + HOUR,
      tenants: names.length,
      pairs,
      rejectedByPolicy: pairs,
      rejectedBySignature: pairs,
      signatureChecks: pairs * 3,
      accepted: 0,
    },
    certificates: [parts.certificate.certificate],
    notCollected: [
      { what: 'Backups', why: 'This version makes none yet.' },
      { what: 'A negative restore test', why: 'No backup was at hand.' },
    ],
  }
  change(body)
  return { evidence: body, signatures: await signAll(vault, evidenceDigest(body)) }
}
