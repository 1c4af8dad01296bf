import { must } from '../errors.ts'
import { TENANT_LINE_MAX } from './bundle.ts'
import { firstLine, mustBeOfVault, OrderedLines, type Pin } from './bundle-file.ts'
import { digest } from './bytes.ts'
import { openRevocationStatement, parseRevokedLine, type Revocation, type RevokedLine } from './revocation.ts'

/** A revocation as a stream of lines: memory holds one tenant at a time. */

/** Caps for whoever opens the file. */
export const REVOCATION_CAPS = { maxBytes: 4 * 1024 ** 3, maxLine: TENANT_LINE_MAX }

export type OpenRevocation = {
  revocation: Revocation
  /** Digest of the root-signed first line: by it a receipt names this file. */
  statementDigest: string
  /** The tenants in order. Only after the last one is the whole bound to the statement; until then nothing may be used. */
  tenants: AsyncGenerator<RevokedLine>
}

/**
 * Opens a revocation from its lines; the caller closes the file. Codes: `vault-mismatch`, `practice-refused`, those of
 * `openStatement`, and while `tenants` is read those of `parseRevokedLine` and `format-invalid` for another count, order
 * or Merkle root (RFC 9162 section 2.1.1) than the statement's.
 */
export async function openRevocation(lines: Iterable<Uint8Array>, pin: Pin): Promise<OpenRevocation> {
  const rest = lines[Symbol.iterator]()
  const statement = firstLine(rest, 'revocation')
  mustBeOfVault(statement, pin, 'revocation')
  const revocation = await openRevocationStatement(statement, pin.key, pin.practice)
  must(revocation.vaultId === pin.vaultId, 'vault-mismatch', 'This revocation names another vault.')
  return { revocation, statementDigest: digest(statement), tenants: readTenants(rest, revocation) }
}

async function* readTenants(
  lines: Iterator<Uint8Array>,
  { tenants, merkleRoot }: Revocation,
): AsyncGenerator<RevokedLine> {
  const ordered = new OrderedLines('revocation', tenants, merkleRoot)
  for (let next = lines.next(); !next.done; next = lines.next()) {
    ordered.take(next.value)
    const line = parseRevokedLine(next.value)
    ordered.name(line.tenant)
    yield line
  }
  ordered.end()
}
