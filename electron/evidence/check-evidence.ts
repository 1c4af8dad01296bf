import { dirname, join } from 'node:path'
import { keyState } from '../../shared/domain/key.ts'
import { digest, utf8 } from '../../shared/formats/bytes.ts'
import type { Certificate } from '../../shared/formats/certificate.ts'
import { openCheckpoint } from '../../shared/formats/checkpoint.ts'
import { type EvidenceBody, evidenceDigest, parseEvidence } from '../../shared/formats/evidence.ts'
import type { Roster } from '../../shared/formats/roster.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { renderEvidence } from '../../shared/pages/evidence-page.ts'
import { capital, counted, spellTime } from '../../shared/pages/words.ts'
import { readFileGuarded } from '../files/read.ts'
import { openCertificateOf } from './check-certificate.ts'
import { checkSignatures } from './check-people.ts'
import { openRosters } from './check-record.ts'
import { acceptRuntime } from './check-statements.ts'
import { anchorOf, type Context, type Findings, sameVault } from './findings.ts'
import { JSON_MAX } from './recognise.ts'

/** An evidence pack: every signed statement in it, and what it says of the rest against them. */
export async function checkEvidence(path: string, context: Context, findings: Findings): Promise<void> {
  const file = parseEvidence(readFileGuarded(path, JSON_MAX))
  const body = file.evidence
  await findings.attempt(() => {
    const bytes = utf8(renderEvidence(file))
    context.drawn.set(join(dirname(path), 'evidence.html'), {
      kind: 'page',
      bytes,
      from: 'the evidence',
      source: findings,
    })
  })
  const anchor = anchorOf(context, findings)
  if (!anchor || !sameVault(findings, anchor, body.vault)) return
  const [roster] = (await findings.attempt(() => openRosters([body.roster], anchor))) ?? []
  if (!roster) return findings.problem('The roster of this pack is not one of this vault.')
  const quorum = await checkSigners(file.signatures, body, roster, findings)
  await findings.attempt(() => checkHead(body, anchor, findings))
  for (const runtime of body.runtimes)
    await findings.attempt(async () => {
      const accepted = await acceptRuntime(runtime.acceptance, anchor, context)
      findings.rule(accepted === runtime.runtimeId, `The acceptance of ${runtime.runtimeId} is of another runtime.`)
    })
  await checkCertificates(body, anchor, findings)
  checkStates(body, findings)
  compareRecords(body, context.records, findings)
  findings.anchored = quorum
}

/**
 * Whoever signed must stand in the roster; a pack that nobody signed is nobody's word. True when M custodians are among
 * them: what the pack itself claims is as good as those who signed, and fewer could claim anything.
 */
async function checkSigners(
  signatures: Record<string, string>,
  body: EvidenceBody,
  roster: Roster,
  findings: Findings,
): Promise<boolean> {
  const signers = Object.keys(signatures).map(
    (id) => roster.people.find((person) => person.id === id) ?? { id, name: id },
  )
  if (signers.length === 0) {
    findings.problem('Nobody has signed this pack.')
    return false
  }
  const signed = await checkSignatures(signers, signatures, evidenceDigest(body), [roster], findings)
  const custodians = roster.people.filter(({ id, role }) => role === 'custodian' && signed.get(id)?.agrees).length
  if (custodians >= roster.threshold) {
    findings.fact(`Signed by ${counted(custodians, 'custodian')}, a quorum of the roster.`)
    return true
  }
  findings.fact(
    `It is the word of ${counted(signed.size, 'person', 'people')}, ${counted(custodians, 'custodian')} among them. A pack is verified when at least ${counted(roster.threshold, 'custodian')} of its roster signed it.`,
  )
  return false
}

async function checkHead(body: EvidenceBody, anchor: Anchor, findings: Findings): Promise<void> {
  const carried = await openTrustAnchor(body.anchor)
  findings.rule(carried.key.kid === anchor.key.kid, 'The pack carries another trust anchor than the one given.')
  const checkpoint = await openCheckpoint(body.checkpoint, anchor.key, anchor.practice)
  findings.rule(checkpoint.vaultId === anchor.vaultId, 'The checkpoint of this pack is of another vault.')
  findings.rule(checkpoint.roster === digest(body.roster), 'The checkpoint of this pack names another roster.')
  findings.fact(`The vault stood at event ${checkpoint.seq}, ${spellTime(checkpoint.iat)}, signed by the root.`)
}

async function checkCertificates(body: EvidenceBody, anchor: Anchor, findings: Findings): Promise<void> {
  const opened: Certificate[] = []
  for (const jws of body.certificates) {
    const certificate = await findings.attempt(() => openCertificateOf(jws, anchor, findings))
    if (certificate) opened.push(certificate)
  }
  for (const key of body.tenants.flatMap((tenant) => tenant.keys)) {
    const named = key.certificate
    if (!named) continue
    const found = opened.find((one) => one.certificate === named.id && one.grade === named.grade)
    findings.rule(
      found?.keys.some((one) => one.kid === key.kid) === true,
      `${key.label} names the certificate ${named.id}, which is not in this pack or does not name the key.`,
    )
  }
}

function checkStates(body: EvidenceBody, findings: Findings): void {
  const keys = body.tenants.flatMap((tenant) => tenant.keys)
  for (const { label, state, times, compromised, destroyed } of keys) {
    const facts = { compromised: compromised !== null, destroyed: destroyed !== null }
    findings.rule(
      keyState(times, body.builtAt, facts) === state,
      `${label} is called ${state}, but its times and facts say otherwise.`,
    )
  }
  findings.fact(
    `${capital(counted(body.tenants.length, 'tenant'))}, ${counted(keys.length, 'key')}, ${counted(body.ceremonies.length, 'ceremony', 'ceremonies')}; ${counted(body.notCollected.length, 'item')} named as not collected.`,
  )
}

/** The records of the same call are the ones that the pack names. */
function compareRecords(body: EvidenceBody, records: ReadonlyMap<string, string>, findings: Findings): void {
  let same = 0
  for (const { ceremony, record } of body.ceremonies) {
    const verified = records.get(ceremony)
    if (verified === undefined) continue
    if (verified === record) same += 1
    else findings.problem(`The record of ${ceremony} in this call is not the one that the pack names.`)
  }
  if (same > 0)
    findings.fact(
      `${capital(counted(same, 'record'))} of this call ${same === 1 ? 'is' : 'are'} exactly as the pack names ${same === 1 ? 'it' : 'them'}.`,
    )
}
