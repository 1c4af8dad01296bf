import type { CeremonyKind } from '../../../shared/domain/events.ts'

const MEDIUM: Record<CeremonyKind, boolean> = {
  genesis: true,
  onboard: false,
  'enroll-runtime': true,
  handoff: true,
  rotate: false,
  emergency: true,
  intake: true,
  destroy: false,
  custody: false,
  passphrase: false,
  'root-rotate': true,
  'import-key': true,
  'export-key': true,
  amend: false,
  backup: true,
  restore: true,
  inventory: false,
  envelope: true,
}

/** Whether a ceremony of this kind reads or writes files that are carried, whatever its plan says. */
export const needsMedium = (kind: CeremonyKind): boolean => MEDIUM[kind]
