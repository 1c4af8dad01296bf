import { z } from 'zod'
import type { EventOf } from '../domain/events.ts'
import { KeyriteError, must } from '../errors.ts'
import { digest, fromUtf8 } from './bytes.ts'
import { compactSchema, digestSchema, instantSchema, uuidSchema } from './common.ts'
import { thumbprint } from './fingerprint.ts'
import { KB } from './json.ts'
import {
  openStatement,
  peekStatement,
  type StatementKey,
  type StatementSigner,
  signStatement,
  statementTyp,
} from './jws.ts'
import { type Anchor, openTrustAnchor, trustAnchorSchema } from './trust-anchor.ts'

/**
 * Succession: the root that leaves and the one that takes over both sign which trust anchor comes after which. Whoever
 * pinned the old root follows it, unless the old root is suspected to be compromised: then its word is worth nothing, and
 * the new fingerprint is compared by voice.
 */

const claimsSchema = z.strictObject({
  vaultId: uuidSchema,
  /** Thumbprints of both roots, and the digest of the new trust anchor. */
  from: digestSchema,
  to: digestSchema,
  anchor: digestSchema,
  compromised: z.boolean(),
  iat: instantSchema,
})
export type SuccessionClaims = z.infer<typeof claimsSchema>

/** What a quorum approves when the sealed successor takes over. */
export const rotationObjects = ({
  succession,
  successor,
  compromised,
}: Pick<EventOf<'root-rotated'>, 'succession' | 'successor' | 'compromised'>) => ({
  root: thumbprint(peekStatement(succession.anchor, trustAnchorSchema, 'trust anchor', 8 * KB).root),
  successor,
  compromised,
})

/** The same claims signed by both roots, and the new trust anchor. */
export const successionSchema = z.strictObject({ old: compactSchema, next: compactSchema, anchor: compactSchema })
export type Succession = z.infer<typeof successionSchema>

export const signSuccession = (claims: SuccessionClaims, practice: boolean, root: StatementSigner): Promise<string> =>
  signStatement(statementTyp('succession', practice), claims, root)

/**
 * Checks that both roots signed which anchor follows `before`, and that it is the successor that `before` names. Codes of
 * `openStatement`; `signature-invalid` for another succession.
 */
export async function openSuccession(
  { old, next, anchor: jws }: Succession,
  before: Anchor,
): Promise<{ anchor: Anchor; claims: SuccessionClaims }> {
  const anchor = await openTrustAnchor(jws)
  const claims = await openClaims(old, before.key, before.practice)
  const said = await openClaims(next, anchor.key, before.practice)
  const { vaultId, practice, successor, key } = before
  const fits =
    claims.vaultId === vaultId &&
    anchor.vaultId === vaultId &&
    anchor.practice === practice &&
    claims.from === key.kid &&
    claims.to === anchor.key.kid &&
    successor === anchor.key.kid &&
    claims.anchor === digest(jws)
  must(fits, 'signature-invalid', 'This succession is of other roots.')
  const same = (['vaultId', 'from', 'to', 'anchor', 'compromised', 'iat'] as const).every(
    (name) => claims[name] === said[name],
  )
  must(same, 'signature-invalid', 'The two roots signed different successions.')
  return { anchor, claims }
}

const openClaims = (jws: string, key: StatementKey, practice: boolean): Promise<SuccessionClaims> =>
  openStatement(jws, {
    typ: statementTyp('succession', practice),
    key,
    schema: claimsSchema,
    what: 'succession',
    maxBytes: 8 * KB,
  })

/** The file: the statement of the old root, that of the new one, the old trust anchor, the new one; one line each. */
export type SuccessionFile = Succession & { before: string }
export const SUCCESSION_FILE_MAX = 32 * KB

export const successionFile = ({ before, old, next, anchor }: SuccessionFile): string =>
  `${old}\n${next}\n${before}\n${anchor}\n`

/** The statements of such a file, not verified yet. Code `format-invalid` for any other form. */
export function parseSuccessionFile(bytes: Uint8Array): SuccessionFile {
  const [, old, next, before, anchor] = /^([\w.-]+)\n([\w.-]+)\n([\w.-]+)\n([\w.-]+)\n$/.exec(fromUtf8(bytes)) ?? []
  const parsed = successionSchema.extend({ before: compactSchema }).safeParse({ before, old, next, anchor })
  if (!parsed.success) throw new KeyriteError('format-invalid', 'This is not a file of Keyrite with a succession.')
  return parsed.data
}
