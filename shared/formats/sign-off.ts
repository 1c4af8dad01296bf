import { z } from 'zod'
import { must } from '../errors.ts'
import { digestSchema, instantSchema } from './common.ts'
import { KB } from './json.ts'
import { openStatement, type StatementSigner, signStatement, statementTyp } from './jws.ts'
import { personKey, type Roster } from './roster.ts'

/** A participant's word, over the digest of a record, a certificate or an evidence pack: agrees, or does not and says why. */
export const signOffSchema = z.discriminatedUnion('agrees', [
  z.strictObject({ of: digestSchema, agrees: z.literal(true), at: instantSchema }),
  z.strictObject({
    of: digestSchema,
    agrees: z.literal(false),
    reason: z.string().min(1).max(1000),
    at: instantSchema,
  }),
])
export type SignOff = z.infer<typeof signOffSchema>

/** What a person answers when asked to sign. */
export type Verdict = { agrees: true } | { agrees: false; reason: string }

export const signOff = (said: SignOff, practice: boolean, person: StatementSigner): Promise<string> =>
  signStatement(statementTyp('sign-off', practice), said, person)

/** Asks each person in turn and has each sign the answer with their own key: the JWS by person. */
export async function collectSignOffs(
  of: string,
  people: Iterable<{ id: string; signer: StatementSigner }>,
  { practice, now, ask }: { practice: boolean; now: () => number; ask: (person: string) => Promise<Verdict> },
): Promise<Record<string, string>> {
  const signatures: Record<string, string> = {}
  for (const { id, signer } of people) {
    const verdict = await ask(id)
    signatures[id] = await signOff({ of, ...verdict, at: now() }, practice, signer)
  }
  return signatures
}

/** Checks every sign-off against the roster and the digest. Codes of `openStatement`; gives what each person said. */
export async function checkSignOffs(
  signatures: Record<string, string>,
  of: string,
  roster: Roster,
): Promise<Record<string, SignOff>> {
  const given: Record<string, SignOff> = {}
  for (const [id, jws] of Object.entries(signatures)) {
    const typ = statementTyp('sign-off', roster.practice)
    const said = await openStatement(jws, {
      typ,
      key: personKey(roster, id),
      schema: signOffSchema,
      what: `sign-off of ${id}`,
      maxBytes: 8 * KB,
    })
    must(said.of === of, 'signature-invalid', `${id} signed something else.`)
    given[id] = said
  }
  return given
}
