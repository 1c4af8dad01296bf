import type { PastKey } from '../../shared/domain/past-keys.ts'
import { must } from '../../shared/errors.ts'
import { TENANT_LINE_MAX } from '../../shared/formats/bundle.ts'
import type { TenantEntry } from '../../shared/formats/bundle-check.ts'
import type { Pin } from '../../shared/formats/bundle-file.ts'
import { signHistoricalSet } from '../../shared/formats/historical.ts'
import { canonicalBytes } from '../../shared/formats/json.ts'
import type { StatementSigner } from '../../shared/formats/jws.ts'
import {
  checkRevokedLine,
  type Revocation,
  type RevokedLine,
  revokedSlots,
  signRevocation,
} from '../../shared/formats/revocation.ts'
import { openRevocation, REVOCATION_CAPS } from '../../shared/formats/revocation-file.ts'
import { LineSpool } from '../files/lines.ts'
import { readLinesGuarded } from '../files/read.ts'
import { rootOf, signSlots, type Written, writeUnder } from './bundle.ts'

/** Files of revocations. */

/** One tenant to revoke keys of, as the runtime's bundle names it, with its past keys where they are known. */
export type TenantToRevoke = Pick<RevokedLine, 'revoke' | 'standby'> & { entry: TenantEntry; past?: readonly PastKey[] }

type RevocationToWrite = {
  revocation: Omit<Revocation, 'tenants' | 'merkleRoot'>
  /** In any order; each tenant once. */
  tenants: Iterable<TenantToRevoke>
  root: StatementSigner
  practice: boolean
  onProgress?: (done: number) => void
}

/**
 * Writes a revocation into `folder`: cuts and signs every tenant's slots without the revoked keys, then the statement over
 * their lines. Codes: `policy-rejected` for a line that is too long, and of `writeLines`. On failure nothing is left under
 * a final name.
 */
export async function writeRevocation(
  folder: string,
  { revocation, tenants, root, practice, onProgress }: RevocationToWrite,
): Promise<Written> {
  const spool = new LineSpool(folder)
  try {
    const names = new Set<string>()
    for (const { entry, revoke, standby, past = [] } of tenants) {
      const { tenant } = entry
      must(!names.has(tenant), 'internal', `Tenant ${tenant} stands twice in a revocation.`)
      names.add(tenant)
      const slots = await signSlots(
        entry,
        revokedSlots(entry, { revoke, standby }, revocation.iat),
        revocation.iat,
        root,
      )
      const historical = await signHistoricalSet({ ...entry, past }, revocation.iat, root)
      const said: RevokedLine = { tenant, revoke, standby, slots, ...(historical !== null && { historical }) }
      const line = canonicalBytes(said)
      must(line.length <= TENANT_LINE_MAX, 'policy-rejected', `Tenant ${tenant} has too many keys and slots.`)
      spool.add(tenant, line)
      onProgress?.(spool.size)
    }
    const said = { ...revocation, tenants: spool.size, merkleRoot: rootOf(spool.sorted()) }
    const jws = await signRevocation(said, practice, root)
    return writeUnder(folder, 'revocation', jws, said, spool)
  } finally {
    spool.discard()
  }
}

export type ReadRevocation = { revocation: Revocation; statementDigest: string; keys: number; standbys: number }

/**
 * Reads and verifies a whole revocation in constant memory: statement, count, order and Merkle root, and every tenant's
 * signed sets. `onTenant` sees each tenant as it comes; what it saw counts only once this has returned. It does not look at
 * time, runtime or order. Codes: of `readLinesGuarded`, `openRevocation` and `checkRevokedLine`.
 */
export async function readRevocation(
  path: string,
  pin: Pin,
  onTenant: (line: RevokedLine) => void = () => {},
): Promise<ReadRevocation> {
  const lines = readLinesGuarded(path, REVOCATION_CAPS)
  let [keys, standbys] = [0, 0]
  try {
    const { revocation, statementDigest, tenants } = await openRevocation(lines, pin)
    for await (const line of tenants) {
      await checkRevokedLine(line, revocation.iat, pin.key)
      keys += line.revoke.length
      if (line.standby !== null) standbys += 1
      onTenant(line)
    }
    return { revocation, statementDigest, keys, standbys }
  } finally {
    lines.return(undefined)
  }
}
