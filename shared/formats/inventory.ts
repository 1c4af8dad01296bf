import { z } from 'zod'
import { copySchema } from './certificate.ts'
import {
  compactSchema,
  countSchema,
  digestSchema,
  idSchema,
  instantSchema,
  keySpecSchema,
  lineSchema,
  uuidSchema,
} from './common.ts'
import { MB, parseAs, parseJson } from './json.ts'
import { openStatement, type StatementKey, type StatementSigner, signStatement, statementTyp } from './jws.ts'

/** The inventory: rows, ledger and receipts compared; every key, every copy and every open question, signed by the root. */

export const INVENTORY_MAX = 64 * MB

const text = z.string().min(1).max(1000)
const keySchema = z.strictObject({
  tenant: idSchema,
  kid: digestSchema,
  label: lineSchema,
  spec: keySpecSchema,
  /** NIST SP 800-57 Part 1 Rev. 5 section 7. */
  state: z.enum(['pre-activation', 'active', 'deactivated', 'compromised', 'destroyed']),
  signFrom: instantSchema,
  signUntil: instantSchema,
  /** Its private half is in this vault. */
  inVault: z.boolean(),
  /** Retired, and the policy keeps its private half all the same. */
  kept: z.boolean(),
  imported: z.boolean(),
  /** The legal hold that names it. */
  hold: idSchema.nullable(),
  /** A backup brought it back although this certificate says that it was destroyed. */
  destroyedElsewhere: z.string().max(40).nullable(),
  certificate: z.string().max(40).nullable(),
  copies: z.array(copySchema).max(1000),
})

export const inventorySchema = z.strictObject({
  version: z.literal(1),
  inventory: z.string().max(40),
  ceremony: z.string().max(40),
  vaultId: uuidSchema,
  vaultName: lineSchema,
  takenAt: instantSchema,
  /** The last event that it knows. */
  seq: countSchema,
  epoch: countSchema,
  keys: z.array(keySchema).max(100_000),
  /** Keys that only runtimes know. */
  notInVault: z
    .array(z.strictObject({ kid: digestSchema, tenant: idSchema, runtimeId: idSchema, at: instantSchema }))
    .max(100_000),
  runtimes: z
    .array(
      z.strictObject({
        runtimeId: idSchema,
        receipts: countSchema,
        newestAt: instantSchema.nullable(),
        /** Why its receipts cannot be relied on to be new; null where they are. */
        stale: text.nullable(),
        keys: countSchema,
      }),
    )
    .max(10_000),
  backups: z
    .array(
      z.strictObject({
        number: countSchema,
        at: instantSchema,
        epoch: countSchema,
        keys: countSchema,
        copy: copySchema,
      }),
    )
    .max(10_000),
  /** Vaults that were lost and replaced by a backup. */
  lost: z.array(copySchema).max(1000),
  /** Quorum secrets before this one, and the open copies in which their shares still open something. */
  pastEpochs: z
    .array(
      z.strictObject({
        epoch: countSchema,
        holders: z.array(lineSchema).max(16),
        opens: z.array(lineSchema).max(10_000),
      }),
    )
    .max(100_000),
  /** Passphrases that were changed: they still open older copies of people.json. */
  passphrases: z.array(copySchema).max(100_000),
  /** What does not agree, or is still to be done. */
  findings: z.array(text).max(10_000),
})
export type Inventory = z.infer<typeof inventorySchema>

export const signInventory = (inventory: Inventory, practice: boolean, root: StatementSigner): Promise<string> =>
  signStatement(statementTyp('inventory', practice), inventory, root)

export const openInventory = (jws: string, root: StatementKey, practice: boolean): Promise<Inventory> =>
  openStatement(jws, {
    typ: statementTyp('inventory', practice),
    key: root,
    schema: inventorySchema,
    what: 'inventory',
    maxBytes: INVENTORY_MAX,
  })

/** The file inventory.json: the root's statement. What people say of it is in the record beside it. */
export const inventoryFileSchema = z.strictObject({ inventory: compactSchema })
export type InventoryFile = z.infer<typeof inventoryFileSchema>

export const parseInventoryFile = (bytes: Uint8Array): InventoryFile =>
  parseAs(inventoryFileSchema, parseJson(bytes, { maxBytes: INVENTORY_MAX, maxDepth: 3 }), 'inventory file')
