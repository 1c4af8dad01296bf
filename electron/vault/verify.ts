import { createPublicKey } from 'node:crypto'
import { must } from '../../shared/errors.ts'
import { checkApprovals } from '../../shared/formats/approval.ts'
import { hexGroups, words } from '../../shared/formats/fingerprint.ts'
import { checkAgreement, openRoster, type Roster } from '../../shared/formats/roster.ts'
import { sqliteError } from '../sqlite/database.ts'
import { readHistory } from './history.ts'
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
  let roster: Promise<Roster> | undefined
  const { state, checkpoints } = await readHistory(vault.database, anchor.jws, {
    everyCheckpoint: true,
    onEvent: (logged, now) => {
      const { event } = logged
      const rosterBefore = roster ?? openRoster(now.roster, anchor.key, anchor.practice)
      if (logged.actor !== 'keyrite') pending.push(() => checkActor(logged, rosterBefore, counts))
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
          await checkApprovals(event.approvals, expected, await rosterBefore)
          counts.approvals += event.approvals.length
        })
      }
      if (event.type === 'vault-created' || event.type === 'epoch-activated' || !roster) {
        roster = openRoster(now.roster, anchor.key, anchor.practice)
        const signed = now.roster
        const { agreements } = now
        pending.push(() => checkAgreements(agreements, signed, roster ?? rosterBefore))
      }
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

async function checkActor(
  logged: Parameters<typeof eventSignatureHolds>[0],
  roster: Promise<Roster>,
  counts: { signatures: number },
): Promise<void> {
  const person = (await roster).people.find((one) => one.id === logged.actor)
  if (!person) throw brokenAt(logged.seq, 'it names a person who is not on the roster')
  const key = createPublicKey({ key: { ...person.signing }, format: 'jwk' })
  if (!eventSignatureHolds(logged, key)) throw brokenAt(logged.seq, `${logged.actor} did not sign it`)
  counts.signatures++
}

async function checkAgreements(
  agreements: Record<string, string>,
  rosterJws: string,
  rosterNow: Promise<Roster>,
): Promise<void> {
  const roster = await rosterNow
  for (const [id, agreement] of Object.entries(agreements)) await checkAgreement(agreement, rosterJws, roster, id)
}

/** What the head card shows: the newest checkpoint's place and link, and the root's fingerprint in words. */
export function headOf(vault: Vault) {
  const root = vault.anchor.key.kid
  return {
    vaultId: vault.state.vaultId,
    seq: vault.state.seq,
    head: vault.state.head,
    headHex: hexGroups(vault.state.head),
    checkpoint: vault.state.checkpoint?.statement ?? null,
    root,
    rootHex: hexGroups(root),
    rootWords: words(root),
  }
}
