import { z } from 'zod'
import type { PersonDigests } from '../domain/events.ts'
import { digest } from './bytes.ts'
import { compactSchema, digestSchema, idSchema } from './common.ts'
import { canonicalBytes, canonicalText, MB, parseAs, parseJson } from './json.ts'
import { ed25519JwkSchema, p256JwkSchema } from './jws.ts'
import { kdfSchema } from './roster.ts'

/**
 * people.json: the roster, and for each person the sealed key pairs and what is addressed to them. It lies beside the
 * encrypted file and is not secret; every entry's digest stands in the event log.
 */

const sealedBlob = z.string().regex(/^[A-Za-z0-9_-]{40,400}$/)

/** What makes a person: fixed from the day they were enrolled until they change their passphrase. */
const identitySchema = z.strictObject({
  encryption: p256JwkSchema,
  signing: ed25519JwkSchema,
  kdf: kdfSchema,
  sealedEncryption: sealedBlob,
  sealedSigning: sealedBlob,
})
export type Identity = z.infer<typeof identitySchema>

const entrySchema = z.strictObject({
  identity: identitySchema,
  /** File key id -> JWE of the file key, to this person. Two while the vault moves to a new file. */
  fileKeys: z.record(digestSchema, compactSchema),
  /** Epoch -> JWE of this custodian's share. */
  shares: z.record(z.string().regex(/^\d{1,6}$/), compactSchema),
})
export type PersonEntry = z.infer<typeof entrySchema>

export const peopleFileSchema = z.strictObject({
  anchor: compactSchema,
  roster: compactSchema,
  people: z.record(idSchema, entrySchema),
  /** Entries that are to replace those above: they count once the log says so, and are dropped when it never does. */
  pending: z.record(idSchema, entrySchema),
})
export type PeopleFile = z.infer<typeof peopleFileSchema>

export const encodePeopleFile = (file: PeopleFile): Uint8Array => canonicalBytes(file)

/** Parses people.json; the cost of every key derivation is within its bounds afterwards. Codes `json-invalid`, `kdf-refused`, `format-invalid`. */
export function parsePeopleFile(bytes: Uint8Array): PeopleFile {
  const raw = parseJson(bytes, { maxBytes: MB, maxDepth: 8 })
  parseAs(costsSchema, raw, "list of people: a passphrase's protection is outside its bounds", 'kdf-refused')
  return parseAs(peopleFileSchema, raw, 'list of people')
}

const costs = z.record(z.string(), z.looseObject({ identity: z.looseObject({ kdf: kdfSchema }) }))
const costsSchema = z.looseObject({ people: costs, pending: costs })

/** The digests of one entry that the event log holds. */
export function personDigests(entry: PersonEntry): PersonDigests {
  const each = (items: Record<string, string>) =>
    Object.fromEntries(Object.entries(items).map(([id, jwe]) => [id, digest(jwe)]))
  return { identity: digest(canonicalText(entry.identity)), fileKeys: each(entry.fileKeys), shares: each(entry.shares) }
}
