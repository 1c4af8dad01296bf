import { combine, split } from 'shamir-secret-sharing'
import { KeyriteError, must } from '../../shared/errors.ts'
import { type Bytes, concat, digest, equalBytes, sha256, utf8 } from '../../shared/formats/bytes.ts'
import type { Roster } from '../../shared/formats/roster.ts'

/**
 * Splitting the quorum secret, M of N. The library is silent about wrong, too few or mixed shares and accepts an x of 0,
 * which would dictate the secret; so every share is checked against its own commitment in the root-signed roster before
 * it is used, and the result against the secret's.
 */

/** A share as the library makes it: 32 bytes of y and, last, one byte of x. */
export type Share = { person: string; bytes: Bytes }

const SHARE_LENGTH = 33

type Place = { vaultId: string; epoch: number; threshold: number }

const shareCommitment = ({ vaultId, epoch, threshold }: Place, share: Share): string =>
  digest(concat(utf8(JSON.stringify(['keyrite share 1', vaultId, epoch, share.person, threshold])), share.bytes))

const secretCommitment = ({ vaultId, epoch, threshold }: Place, secret: Uint8Array): string =>
  digest(concat(utf8(JSON.stringify(['keyrite quorum secret 1', vaultId, epoch, threshold])), secret))

/** Splits `secret` among `custodians`; gives their shares and what the roster must say of them. */
export async function dealShares(secret: Bytes, custodians: readonly string[], place: Place) {
  const parts = await split(secret, custodians.length, place.threshold)
  const shares = custodians.map((person, index): Share => ({ person, bytes: plain(parts[index]) }))
  return {
    shares,
    commitments: shares.map((share) => ({
      person: share.person,
      x: xOf(share),
      commitment: shareCommitment(place, share),
    })),
    secretCommitment: secretCommitment(place, secret),
  }
}

/**
 * Combines exactly M shares. Codes: `quorum-missing` with fewer, `share-invalid` naming the custodian whose share is of
 * another vault, epoch or person, corrupt, a duplicate, or has an x of 0. Says nothing about how a share is wrong.
 */
export async function combineShares(shares: readonly Share[], roster: Roster): Promise<Bytes> {
  const people = shares.map((share) => share.person)
  const twice = people.find((person, index) => people.indexOf(person) !== index)
  must(twice === undefined, 'share-invalid', `${twice} gave two shares.`)
  const missing = roster.threshold - shares.length
  must(
    missing <= 0,
    'quorum-missing',
    missing === 1 ? 'One more custodian needs to approve.' : `${missing} more custodians need to approve.`,
  )
  const used = shares.slice(0, roster.threshold)
  for (const share of used) checkShare(share, roster)
  must(new Set(used.map(xOf)).size === used.length, 'share-invalid', 'Two custodians gave the same share.')
  const secret = plain(await combine(used.map((share) => share.bytes)))
  must(
    secretCommitment(roster, secret) === roster.secretCommitment,
    'share-invalid',
    'The shares do not belong together.',
  )
  return secret
}

/** Checks one share against the roster: all a custodian needs to prove that their share is the right one. */
export function checkShare(share: Share, roster: Roster): void {
  const expected = roster.shares.find((one) => one.person === share.person)
  const refused = new KeyriteError(
    'share-invalid',
    `The share of ${share.person} is not the one that the roster names.`,
  )
  if (!expected || share.bytes.length !== SHARE_LENGTH || xOf(share) !== expected.x || expected.x === 0) throw refused
  const commitment = sha256(shareCommitment(roster, share))
  if (!equalBytes(commitment, sha256(expected.commitment))) throw refused
}

const xOf = (share: Share): number => share.bytes.at(-1) ?? 0

/** The library takes and gives `Uint8Array` only; a Buffer would be refused. */
const plain = (bytes: Uint8Array | undefined): Bytes => new Uint8Array(bytes ?? [])
