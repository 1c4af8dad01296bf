import { must } from '../../shared/errors.ts'
import { openCheckpoint } from '../../shared/formats/checkpoint.ts'
import { hexGroups, words } from '../../shared/formats/fingerprint.ts'
import { sqliteError } from '../sqlite/database.ts'
import { Claims } from './claims.ts'
import { readHistory } from './history.ts'
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
export async function verifyVault(vault: Vault, onEvent: (seq: number) => void = () => {}): Promise<VaultReport> {
  const claims = new Claims()
  try {
    const { state, roots, checkpoints } = await readHistory(vault.database, vault.anchor.jws, {
      everyCheckpoint: true,
      onEvent: (logged, now) => {
        claims.see(logged, now)
        onEvent(logged.seq)
      },
    })
    checkPages(vault)
    await claims.settle(roots)
    const { vaultId, name, practice, epoch, seq: events, head, sealed } = state
    const { signatures, approvals } = claims
    const counts = { events, signatures, approvals, checkpoints, sealed: sealed.size }
    return { vaultId, name, practice, epoch, ...counts, head, tail: vault.tail }
  } finally {
    claims.close()
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
