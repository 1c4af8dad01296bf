import { z } from 'zod'
import { must } from '../errors.ts'
import { digestSchema, uuidSchema } from './common.ts'
import { KB } from './json.ts'
import { openStatement, readStatementHeader, type StatementSigner, signStatement, statementTyp } from './jws.ts'
import { personKey, type Roster } from './roster.ts'

/** One custodian's approval of one quorum act: this plan, this step, these objects, in this epoch. */
export const approvalSchema = z.strictObject({
  vaultId: uuidSchema,
  epoch: z.int().min(1),
  ceremony: z.string().max(40),
  planDigest: digestSchema,
  step: z.string().max(64),
  objects: digestSchema,
})
export type Approval = z.infer<typeof approvalSchema>

export const signApproval = (approval: Approval, practice: boolean, custodian: StatementSigner): Promise<string> =>
  signStatement(statementTyp('approval', practice), approval, custodian)

/** What M custodians sign when they accept events after the newest checkpoint: the whole history as it then was. */
export const tailAct = (from: number, to: number, head: string) => ({
  ceremony: 'tail',
  planDigest: head,
  step: `accept-tail-${from}-${to}`,
  objects: head,
})

/**
 * Checks that M different custodians approved exactly this act, and gives their ids. Codes: `quorum-missing` with fewer,
 * `signature-invalid` for a stranger, another role, another act or a forged approval.
 */
export async function checkApprovals(
  approvals: readonly string[],
  expected: Approval,
  roster: Roster,
): Promise<string[]> {
  const custodians = new Set<string>()
  for (const jws of approvals) {
    const { kid } = readStatementHeader(jws, 8 * KB)
    const role = roster.people.find((person) => person.id === kid)?.role
    must(role === 'custodian', 'signature-invalid', `${kid} is not a custodian of this roster.`)
    const typ = statementTyp('approval', roster.practice)
    const key = personKey(roster, kid)
    const said = await openStatement(jws, {
      typ,
      key,
      schema: approvalSchema,
      what: `approval of ${kid}`,
      maxBytes: 8 * KB,
    })
    const same = Object.entries(expected).every(([name, value]) => said[name as keyof Approval] === value)
    must(same, 'signature-invalid', `${kid} approved another act.`)
    custodians.add(kid)
  }
  const missing = roster.threshold - custodians.size
  must(
    missing <= 0,
    'quorum-missing',
    missing === 1 ? 'One more custodian needs to approve.' : `${missing} more custodians need to approve.`,
  )
  return [...custodians]
}
