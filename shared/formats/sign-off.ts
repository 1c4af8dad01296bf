import { z } from 'zod'
import { must } from '../errors.ts'
import { digestSchema, instantSchema } from './common.ts'
import { KB } from './json.ts'
import { openStatement, type StatementSigner, signStatement, statementTyp } from './jws.ts'
import { personKey, type Roster } from './roster.ts'

/** A participant's signature over the digest of a record, a certificate or an evidence pack. */
export const signOffSchema = z.strictObject({ of: digestSchema, agrees: z.literal(true), at: instantSchema })
export type SignOff = z.infer<typeof signOffSchema>

export const signOff = (said: SignOff, practice: boolean, person: StatementSigner): Promise<string> =>
  signStatement(statementTyp('sign-off', practice), said, person)

/** Checks every sign-off against the roster and the digest. Codes of `openStatement`; gives when each person signed. */
export async function checkSignOffs(
  signatures: Record<string, string>,
  of: string,
  roster: Roster,
): Promise<Record<string, number>> {
  const at: Record<string, number> = {}
  for (const [id, jws] of Object.entries(signatures)) {
    const typ = statementTyp('sign-off', roster.practice)
    const said = await openStatement(jws, {
      typ,
      key: personKey(roster, id),
      schema: signOffSchema,
      what: `sign-off of ${id}`,
      maxBytes: 4 * KB,
    })
    must(said.of === of, 'signature-invalid', `${id} signed something else.`)
    at[id] = said.at
  }
  return at
}
