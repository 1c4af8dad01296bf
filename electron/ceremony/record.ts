import { SCRIPTS, SIGN_OFF } from '../../shared/domain/script.ts'
import type { Ceremony } from '../../shared/domain/state.ts'
import type { RecordBody } from '../../shared/formats/record.ts'
import type { VaultPort } from './ports.ts'

/** The record follows from the events alone, so it can be written again at any time. It keeps nothing that later events change. */
export function recordBody(vault: VaultPort, ceremony: Ceremony, upTo: { seq: number; head: string }): RecordBody {
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
      .filter((person) => ceremony.present.includes(person.id))
      .map(({ id, name, role }) => ({ id, name, role })),
    script: [...SCRIPTS[ceremony.kind], SIGN_OFF].map(({ id, title, who, readAloud, do: what, observe }) => ({
      id,
      title,
      who,
      readAloud,
      do: what,
      observe,
    })),
    steps: ceremony.done.map(({ step, at, by, observed }) => ({ step, at, by, observed })),
    approvals: [...ceremony.approvals],
    deviations: [...ceremony.deviations],
    events: { from: ceremony.firstSeq, to: upTo.seq, head: upTo.head },
  }
}
