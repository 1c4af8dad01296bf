import { z } from 'zod'
import { digestSchema, instantSchema, uuidSchema } from './common.ts'
import { KB } from './json.ts'
import { openStatement, type StatementKey, type StatementSigner, signStatement, statementTyp } from './jws.ts'

/** What the root says of the whole vault at the end of each quorum ceremony; the newest one is the head card. */
export const checkpointSchema = z.strictObject({
  vaultId: uuidSchema,
  seq: z.int().min(1),
  head: digestSchema,
  roster: digestSchema,
  sealed: digestSchema,
  iat: instantSchema,
})
export type Checkpoint = z.infer<typeof checkpointSchema>

export const signCheckpoint = (checkpoint: Checkpoint, practice: boolean, root: StatementSigner): Promise<string> =>
  signStatement(statementTyp('checkpoint', practice), checkpoint, root)

export const openCheckpoint = (jws: string, root: StatementKey, practice: boolean): Promise<Checkpoint> =>
  openStatement(jws, {
    typ: statementTyp('checkpoint', practice),
    key: root,
    schema: checkpointSchema,
    what: 'checkpoint',
    maxBytes: 8 * KB,
  })
