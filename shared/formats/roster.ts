import { z } from 'zod'
import { ROLES } from '../domain/roster.ts'
import { KeyriteError } from '../errors.ts'
import { digest } from './bytes.ts'
import { digestSchema, idSchema, lineSchema, uuidSchema } from './common.ts'
import { canonicalText, KB, parseAs, parseJson } from './json.ts'
import {
  type Ed25519Jwk,
  ed25519JwkSchema,
  openStatement,
  p256JwkSchema,
  peekStatement,
  type StatementKey,
  type StatementSigner,
  signStatement,
  statementTyp,
} from './jws.ts'

/** The roster: who may open what, signed by the root under quorum and agreed to by each person present. */

/** Argon2id cost (RFC 9106): memory in KiB. The bounds are checked before anything is allocated. */
const costSchema = z.strictObject({
  algorithm: z.literal('argon2id'),
  memoryKiB: z
    .int()
    .min(64 * 1024)
    .max(1024 * 1024),
  passes: z.int().min(3).max(10),
  lanes: z.literal(1),
})
export type Cost = z.infer<typeof costSchema>
export const kdfSchema = costSchema.extend({ salt: z.string().regex(/^[A-Za-z0-9_-]{22}$/) })
export type Kdf = z.infer<typeof kdfSchema>

const personSchema = z.strictObject({
  id: idSchema,
  name: lineSchema,
  role: z.enum(ROLES),
  encryption: p256JwkSchema,
  signing: ed25519JwkSchema,
  /** What a derivation costs, and not its salt: a person changes their passphrase without the root. */
  kdf: costSchema,
})
export type RosterPerson = z.infer<typeof personSchema>

export const rosterSchema = z.strictObject({
  vaultId: uuidSchema,
  practice: z.boolean(),
  epoch: z.int().min(1).max(100_000),
  threshold: z.int().min(2).max(16),
  people: z.array(personSchema).min(4).max(64),
  /** SHA-256 commitments that name a wrong share and a wrong result; they tell nothing else. */
  shares: z
    .array(z.strictObject({ person: idSchema, x: z.int().min(1).max(255), commitment: digestSchema }))
    .min(2)
    .max(16),
  secretCommitment: digestSchema,
})
export type Roster = z.infer<typeof rosterSchema>

const agreementSchema = z.strictObject({ rosterDigest: digestSchema, epoch: z.int() })

export const costOf = ({ algorithm, memoryKiB, passes, lanes }: Kdf): Cost => ({ algorithm, memoryKiB, passes, lanes })

/** A roster that is dealt but not in force yet: its claims as canonical JSON, which the root signs when it comes into force. */
export const rosterText = (roster: Roster): string => canonicalText(roster)
export const parseRosterText = (text: string): Roster =>
  parseAs(rosterSchema, parseJson(text, { maxBytes: ROSTER_MAX }), 'roster')
/** The text of a signed roster, its signature not checked. */
export const rosterTextOf = (jws: string): string => rosterText(peekStatement(jws, rosterSchema, 'roster', ROSTER_MAX))

export const ROSTER_MAX = 256 * KB

export const signRoster = (roster: Roster, root: StatementSigner): Promise<string> =>
  signStatement(statementTyp('roster', roster.practice), roster, root)

/** Verifies a roster against the root. Codes of `openStatement`. */
export const openRoster = (jws: string, root: StatementKey, practice: boolean): Promise<Roster> =>
  openStatement(jws, {
    typ: statementTyp('roster', practice),
    key: root,
    schema: rosterSchema,
    what: 'roster',
    maxBytes: ROSTER_MAX,
  })

/** One person's word for one exact roster. */
export const agreeToRoster = (rosterJws: string, roster: Roster, person: StatementSigner): Promise<string> =>
  signStatement(
    statementTyp('roster-agreement', roster.practice),
    { rosterDigest: digest(rosterJws), epoch: roster.epoch },
    person,
  )

/** Checks that `person` agreed to this roster. Codes of `openStatement`; `signature-invalid` for another roster. */
export async function checkAgreement(
  agreement: string,
  rosterJws: string,
  roster: Roster,
  personId: string,
): Promise<void> {
  const typ = statementTyp('roster-agreement', roster.practice)
  const said = await openStatement(agreement, {
    typ,
    key: personKey(roster, personId),
    schema: agreementSchema,
    what: 'roster agreement',
  })
  if (said.rosterDigest !== digest(rosterJws))
    throw new KeyriteError('signature-invalid', `${personId} agreed to another roster.`)
}

/** The sign-off key of a person of the roster, as the key that must have signed. Throws `signature-invalid` for a stranger. */
export function personKey(
  roster: { people: readonly { id: string; signing: Ed25519Jwk }[] },
  personId: string,
): StatementKey {
  const person = roster.people.find((one) => one.id === personId)
  if (!person) throw new KeyriteError('signature-invalid', `${personId} is not a person of this roster.`)
  return { kid: person.id, jwk: person.signing }
}
