import { isAlone, SIGN_OFF } from '../../shared/domain/script.ts'
import { KeyriteError } from '../../shared/errors.ts'
import type { CertificateFile } from '../../shared/formats/certificate.ts'
import type { InventoryFile } from '../../shared/formats/inventory.ts'
import type { LogRow } from '../../shared/formats/log.ts'
import {
  type CeremonyRecord,
  certificatesOf,
  closedAlone,
  closingEvents,
  recordBody,
} from '../../shared/formats/record.ts'
import type { VaultPort } from './ports.ts'

/** What a ceremony leaves behind follows from the events alone, so it can be written again at any time. */

export type Written = {
  record: CeremonyRecord
  plan: string
  /** Null for what one person did alone: the root signs it with the next ceremony. */
  headCard: string | null
  certificates: CertificateFile[]
  inventories: InventoryFile[]
  /** The ceremony's rows of the log, read when they are written. */
  log: Iterable<LogRow>
}

/** Everything that stands in the record folder of a completed ceremony. Code `ceremony-unknown` for any other. */
export function writtenOf(vault: VaultPort, id: string): Written {
  const { state } = vault
  const ceremony = state.ceremonies.get(id)
  const { covers, checkpoint, signOffs, record } = ceremony?.ended ?? {}
  const alone = ceremony !== undefined && isAlone(ceremony.kind)
  const closing = alone ? closedAlone(record ?? '') : ceremony?.approvals.find(({ step }) => step === SIGN_OFF.id)
  if (!ceremony || !covers || !signOffs || !closing || !(checkpoint || alone))
    throw new KeyriteError('ceremony-unknown', `No completed ceremony ${id} is in this vault.`)
  const roster = ceremony.rosters.at(-1) ?? state.roster
  return {
    record: {
      record: recordBody(state, ceremony, covers),
      signatures: signOffs,
      closing: { objects: closing.objects, approvals: closing.approvals },
    },
    plan: ceremony.plan,
    headCard: alone ? null : (checkpoint ?? null),
    certificates: certificatesOf(state, id).map(({ statement, signatures }) => ({
      certificate: statement,
      roster,
      signatures,
    })),
    inventories: state.inventories
      .filter((one) => one.id.startsWith(`${id}-`))
      .map(({ statement }) => ({ inventory: statement })),
    log: vault.rows(ceremony.firstSeq, covers.seq + closingEvents(ceremony.kind).length),
  }
}
