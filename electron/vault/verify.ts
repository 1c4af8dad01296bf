import { createPublicKey } from 'node:crypto'
import { KeyriteError, must } from '../../shared/errors.ts'
import { checkApprovals } from '../../shared/formats/approval.ts'
import { openCheckpoint } from '../../shared/formats/checkpoint.ts'
import { hexGroups, words } from '../../shared/formats/fingerprint.ts'
import { checkAgreement, type Roster } from '../../shared/formats/roster.ts'
import { sqliteError } from '../sqlite/database.ts'
import { readHistory, rosterOf } from './history.ts'
import { brokenAt, eventSignatureHolds } from './log.ts'
import type { Vault } from './vault.ts'

export type VaultReport = {
  vaultId: string
  name: string
  practice: boolean
  epoch: number
  events: number
  signatures: number
  approvals: number
  checkpoints: number
  sealed: number
  head: string
  tail: { from: number; to: number } | null
}

/**
 * Everything that can be checked of an open vault: each page (integrity_check), the chain, every event's own signature by
 * the person it names, every checkpoint, every approval and roster agreement. Codes `vault-damaged`,
 * `vault-history-broken`, naming the first thing that is wrong.
 */
export async function verifyVault(vault: Vault): Promise<VaultReport> {
  checkPages(vault)
  const { anchor } = vault
  const counts = { signatures: 0, approvals: 0 }
  const pending: (() => Promise<void>)[] = []
  const opened = new Map<string, Promise<Roster>>()
  const open = (jws: string): Promise<Roster> => {
    const known = opened.get(jws) ?? rosterOf(jws, anchor)
    opened.set(jws, known)
    return known
  }
  /** The roster in force before the event at hand. */
  let before: string | undefined
  const { state, checkpoints } = await readHistory(vault.database, anchor.jws, {
    everyCheckpoint: true,
    onEvent: (logged, now) => {
      const { event } = logged
      const inForce = before ?? now.roster
      if (logged.actor !== 'keyrite') pending.push(async () => checkActor(logged, await open(inForce), counts))
      if (event.type === 'approved') {
        const planDigest = now.ceremonies.get(event.ceremony)?.planDigest ?? ''
        const expected = {
          vaultId: now.vaultId,
          epoch: now.epoch,
          ceremony: event.ceremony,
          planDigest,
          step: event.step,
          objects: event.objects,
        }
        pending.push(async () => {
          await named(logged.seq, checkApprovals(event.approvals, expected, await open(inForce)))
          counts.approvals += event.approvals.length
        })
      }
      if (now.roster !== before) {
        const { agreements, roster } = now
        pending.push(async () => named(logged.seq, checkAgreements(agreements, roster, await open(roster))))
      }
      before = now.roster
    },
  })
  for (const check of pending) await check()
  const { vaultId, name, practice, epoch, seq, head } = state
  return {
    vaultId,
    name,
    practice,
    epoch,
    events: seq,
    ...counts,
    checkpoints,
    sealed: state.sealed.size,
    head,
    tail: vault.tail,
  }
}

function checkPages(vault: Vault): void {
  try {
    const found = vault.database.pragma('integrity_check', { simple: true })
    must(found === 'ok', 'vault-damaged', 'A page of the vault is damaged.')
  } catch (error) {
    throw sqliteError(error, 'vault', vault.folder)
  }
}

/** A signature inside an event that does not hold is a broken history, named by its event. */
async function named<T>(seq: number, check: Promise<T>): Promise<T> {
  try {
    return await check
  } catch (cause) {
    const why = cause instanceof KeyriteError ? cause.message : 'a signature in it does not hold'
    throw new KeyriteError('vault-history-broken', `Event ${seq} of the vault does not hold: ${why}`, { cause })
  }
}

function checkActor(
  logged: Parameters<typeof eventSignatureHolds>[0],
  roster: Roster,
  counts: { signatures: number },
): void {
  const person = roster.people.find((one) => one.id === logged.actor)
  if (!person) throw brokenAt(logged.seq, 'it names a person who is not on the roster')
  const key = createPublicKey({ key: { ...person.signing }, format: 'jwk' })
  if (!eventSignatureHolds(logged, key)) throw brokenAt(logged.seq, `${logged.actor} did not sign it`)
  counts.signatures++
}

async function checkAgreements(agreements: Record<string, string>, rosterJws: string, roster: Roster): Promise<void> {
  for (const [id, agreement] of Object.entries(agreements)) await checkAgreement(agreement, rosterJws, roster, id)
}

/**
 * What the head card shows: the newest state that the root signed, to be compared with the printed card, and beside it
 * the newest event. In a vault at rest the checkpoint itself is the only later event.
 */
export async function headOf(vault: Vault) {
  const { state, anchor } = vault
  const root = anchor.key.kid
  const signed = state.checkpoint && (await openCheckpoint(state.checkpoint.statement, anchor.key, anchor.practice))
  return {
    vaultId: state.vaultId,
    name: state.name,
    signed: signed && { seq: signed.seq, head: signed.head, headHex: hexGroups(signed.head), at: signed.iat },
    seq: state.seq,
    head: state.head,
    headHex: hexGroups(state.head),
    laterEvents: state.seq - (signed?.seq ?? 0),
    checkpoint: state.checkpoint?.statement ?? null,
    root,
    rootHex: hexGroups(root),
    rootWords: words(root),
  }
}
