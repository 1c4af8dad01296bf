import { SIGN_OFF } from '../../shared/domain/script.ts'
import type { Ceremony } from '../../shared/domain/state.ts'
import { KeyriteError } from '../../shared/errors.ts'
import type { CertificateFile } from '../../shared/formats/certificate.ts'
import { type CeremonyRecord, type RecordBody, scriptOf } from '../../shared/formats/record.ts'
import type { VaultPort } from './ports.ts'

/** What a ceremony leaves behind follows from the events alone, so it can be written again at any time. */

export type Written = { record: CeremonyRecord; plan: string; headCard: string; certificates: CertificateFile[] }

/** Everything that stands in the record folder of a completed ceremony. Code `ceremony-unknown` for any other. */
export function writtenOf(vault: VaultPort, id: string): Written {
  const ceremony = vault.state.ceremonies.get(id)
  const { covers, checkpoint, signOffs } = ceremony?.ended ?? {}
  const closing = ceremony?.approvals.find(({ step }) => step === SIGN_OFF.id)
  if (!ceremony || !covers || !checkpoint || !signOffs || !closing)
    throw new KeyriteError('ceremony-unknown', `No completed ceremony ${id} is in this vault.`)
  const roster = ceremony.rosters.at(-1) ?? vault.state.roster
  const certificates = vault.state.certificates
    .filter((one) => one.id.startsWith(`${id}-`))
    .map(({ statement, signatures }) => ({ certificate: statement, roster, signatures }))
  return {
    record: {
      record: recordBody(vault, ceremony, covers, Object.keys(signOffs)),
      signatures: signOffs,
      closing: { objects: closing.objects, approvals: closing.approvals },
    },
    plan: ceremony.plan,
    headCard: checkpoint,
    certificates,
  }
}

/** The body that `signers` sign: everything up to the event `covers`, and nothing that comes after. */
export function recordBody(
  vault: VaultPort,
  ceremony: Ceremony,
  covers: { seq: number; head: string },
  signers: readonly string[],
): RecordBody {
  const { state, anchor, roster } = vault
  return {
    version: 1,
    ceremony: ceremony.id,
    kind: ceremony.kind,
    vault: { id: state.vaultId, name: state.name, practice: state.practice },
    anchor: anchor.jws,
    rosters: [...ceremony.rosters],
    plan: ceremony.plan,
    planDigest: ceremony.planDigest,
    startedAt: ceremony.startedAt,
    participants: roster.people
      .filter((person) => signers.includes(person.id))
      .map(({ id, name, role }) => ({ id, name, role })),
    script: scriptOf(ceremony.kind),
    steps: ceremony.done.map(({ step, at, by, observed }) => ({ step, at, by, observed })),
    approvals: ceremony.approvals.filter(({ step }) => step !== SIGN_OFF.id),
    deviations: [...ceremony.deviations],
    events: { from: ceremony.firstSeq, to: covers.seq, head: covers.head },
  }
}
