import { z } from 'zod'
import { CEREMONY_KINDS, type CeremonyKind } from '../domain/events.ts'
import { ROLES } from '../domain/roster.ts'
import { isAlone, SCRIPTS, SIGN_OFF } from '../domain/script.ts'
import type { Ceremony, VaultState } from '../domain/state.ts'
import { digest } from './bytes.ts'
import { compactSchema, countSchema, digestSchema, idSchema, instantSchema, lineSchema, uuidSchema } from './common.ts'
import { canonicalText, KB, MB, parseAs, parseJson } from './json.ts'
import { peekStatement } from './jws.ts'
import { rosterSchema } from './roster.ts'

/**
 * The record of a ceremony: what was planned, who was there, what happened when, everybody's signature over it, and the
 * approvals with which M custodians closed it. Those make it more than the word of whoever wrote it.
 */

const text = z.string().max(4000)
export const participantSchema = z.strictObject({ id: idSchema, name: lineSchema, role: z.enum(ROLES) })
export type Participant = z.infer<typeof participantSchema>

export const recordBodySchema = z.strictObject({
  version: z.literal(1),
  ceremony: z.string().max(40),
  kind: z.enum(CEREMONY_KINDS),
  vault: z.strictObject({ id: uuidSchema, name: lineSchema, practice: z.boolean() }),
  anchor: compactSchema,
  /** Every root-signed roster in force during the ceremony, oldest first. */
  rosters: z.array(compactSchema).min(1).max(4),
  /** The plan file as it was read, and its digest, which every approval names. */
  plan: z.string().max(4 * MB),
  planDigest: digestSchema,
  startedAt: instantSchema,
  /** Everybody who took part, and who was there from when on: first who began it, last those who sign. */
  participants: z.array(participantSchema).min(1).max(64),
  attendance: z
    .array(z.strictObject({ at: instantSchema, present: z.array(idSchema).min(1).max(64) }))
    .min(1)
    .max(1000),
  /** What two people's watches said when it began, and the head card that was shown; null where nobody was asked. */
  clock: z.strictObject({ offset: z.int(), by: z.array(idSchema).length(2) }).nullable(),
  headCard: z.strictObject({ seq: countSchema, head: z.string().regex(/^[0-9a-f]{16,64}$/) }).nullable(),
  script: z
    .array(z.strictObject({ id: z.string().max(64), title: text, who: text, readAloud: text, do: text, observe: text }))
    .max(100),
  steps: z
    .array(z.strictObject({ step: z.string().max(64), at: instantSchema, by: z.string().max(64), observed: text }))
    .max(100),
  approvals: z
    .array(
      z.strictObject({ step: z.string().max(64), objects: digestSchema, approvals: z.array(compactSchema).max(16) }),
    )
    .max(100),
  deviations: z
    .array(z.strictObject({ at: instantSchema, by: z.string().max(64), expected: text, happened: text, action: text }))
    .max(1000),
  /** The certificates issued in it, each by the digest of the root's statement. */
  certificates: z.array(z.strictObject({ certificate: z.string().max(40), statement: digestSchema })).max(100),
  /** The vault's events that this record covers: first and last number, and the chain's link at the last. */
  events: z.strictObject({ from: countSchema, to: countSchema, head: digestSchema }),
})
export type RecordBody = z.infer<typeof recordBodySchema>

export const recordSchema = z.strictObject({
  record: recordBodySchema,
  signatures: z.record(idSchema, compactSchema),
  /** The quorum act of the step `sign-off`. It covers the body, so it stands beside it; nobody approves what one person does alone. */
  closing: z.strictObject({ objects: digestSchema, approvals: z.array(compactSchema).max(16) }),
})
export type CeremonyRecord = z.infer<typeof recordSchema>

/** What participants sign: the SHA-256 of the canonical body. */
export const recordDigest = (body: RecordBody): string => digest(canonicalText(body))

/**
 * The body that people sign: what follows from a ceremony's events up to the one `covers` names, and nothing else. The
 * runner makes it from the vault, `keyrite verify` again from an extract of the log.
 */
export function recordBody(
  state: Pick<VaultState, 'vaultId' | 'name' | 'practice' | 'certificates'>,
  ceremony: Ceremony,
  covers: { seq: number; head: string },
): RecordBody {
  const { id, kind, plan, planDigest, startedAt, rosters, attendance } = ceremony
  return {
    version: 1,
    ceremony: id,
    kind,
    vault: { id: state.vaultId, name: state.name, practice: state.practice },
    anchor: ceremony.anchor,
    rosters: [...rosters],
    plan,
    planDigest,
    startedAt,
    participants: participantsOf(ceremony),
    attendance: attendance.map(({ at, present }) => ({ at, present: [...present] })),
    clock: ceremony.clock,
    headCard: ceremony.headCard,
    script: scriptOf(kind),
    steps: ceremony.done.map(({ step, at, by, observed }) => ({ step, at, by, observed })),
    approvals: ceremony.approvals.filter(({ step }) => step !== SIGN_OFF.id),
    deviations: [...ceremony.deviations],
    certificates: certificatesOf(state, id).map((one) => ({
      certificate: one.id,
      statement: digest(one.statement),
    })),
    events: { from: ceremony.firstSeq, to: covers.seq, head: covers.head },
  }
}

/** Everybody who was there at any time, as the newest roster that names them does. */
export function participantsOf({ rosters, attendance }: Ceremony): Participant[] {
  const there = new Set(attendance.flatMap(({ present }) => present))
  const named = new Map<string, Participant>()
  for (const roster of rosters.toReversed())
    for (const { id, name, role } of peekStatement(roster, rosterSchema, 'roster', 256 * KB).people)
      if (there.has(id) && !named.has(id)) named.set(id, { id, name, role })
  return [...named.values()]
}

/** The certificates that a ceremony issued. */
export const certificatesOf = (
  { certificates }: Pick<VaultState, 'certificates'>,
  ceremony: string,
): VaultState['certificates'] => certificates.filter((one) => one.id.startsWith(`${ceremony}-`))

/** Who is there at the end and signs. */
export const signersOf = ({ attendance }: Pick<RecordBody, 'attendance'>): readonly string[] =>
  attendance.at(-1)?.present ?? []

/** What follows the last event that a record covers: one transaction that closes the ceremony. */
const CLOSING_EVENTS = ['approved', 'ceremony-ended', 'checkpoint'] as const
export const closingEvents = (kind: CeremonyKind): readonly string[] =>
  isAlone(kind) ? ['ceremony-ended'] : CLOSING_EVENTS

/** What M custodians approve when the ceremony is closed, given its record's digest. */
export const closingObjects = (record: string): { record: string } => ({ record })

/** The closing of what one person did alone: nobody approved it. */
export const closedAlone = (record: string): CeremonyRecord['closing'] => ({
  objects: digest(canonicalText(closingObjects(record))),
  approvals: [],
})

/** Which of a record's rosters was in force when custodians approved a step: a new one counts only after its own step. */
export function rosterIndexAt(kind: CeremonyKind, step: string): number {
  const script = SCRIPTS[kind]
  const index = script.findIndex((one) => one.id === step)
  return (index < 0 ? script : script.slice(0, index)).filter((one) => one.newRoster).length
}

/** The script of a kind of ceremony with its closing, as every record of that kind holds it. */
export const scriptOf = (kind: CeremonyKind): RecordBody['script'] =>
  [...SCRIPTS[kind], SIGN_OFF].map(({ id, title, who, readAloud, do: what, observe }) => ({
    id,
    title,
    who,
    readAloud,
    do: what,
    observe,
  }))

export const parseRecord = (bytes: Uint8Array): CeremonyRecord =>
  parseAs(recordSchema, parseJson(bytes, { maxBytes: 16 * MB, maxDepth: 10 }), 'record of a ceremony')
