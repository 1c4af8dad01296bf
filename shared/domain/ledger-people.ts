import type { Copy } from './ledger.ts'
import type { VaultKey, VaultState } from './state.ts'
import type { PastEpoch } from './state-people.ts'
import { utcDay } from './utc.ts'

/** What past shares and past passphrases still open: they work for ever on older copies of the vault. */

/**
 * Shares of past epochs in which a key lived. Shares in people.json alone are in older copies of the vault's folder, and
 * those are the medium and the backups; but after a change of people somebody may keep one of their own, and a share file
 * lies outside by itself.
 */
export const shareCopies = (state: VaultState, key: VaultKey): Copy[] =>
  state.pastEpochs.filter((past) => isApart(state, past) && lived(key, past)).map((past) => shareCopy(state, past, key))

const isApart = (state: VaultState, { ceremony, holders }: PastEpoch): boolean =>
  state.ceremonies.get(ceremony ?? '')?.kind === 'custody' || Object.values(holders).includes('medium')

const lived = ({ bornAt, destroyed }: VaultKey, { since, until }: PastEpoch): boolean =>
  bornAt <= until && (destroyed === null || destroyed.at >= since)

function shareCopy(state: VaultState, { epoch, until, holders }: PastEpoch, key: VaultKey): Copy {
  const id = `shares:${epoch}`
  const onMedia = Object.keys(holders).filter((person) => holders[person] === 'medium')
  const base = { id, what: `Shares of epoch ${epoch}`, holder: Object.keys(holders).join(', ') }
  const said = state.attestations.find((one) => one.copy === id && one.at >= until && one.kids.includes(key.kid))
  if (said) return { ...base, status: 'attested', evidence: `${said.by} in ${said.ceremony}: ${said.statement}` }
  const files = onMedia.length > 0 ? `; share files are with ${onMedia.join(', ')}` : ''
  return { ...base, status: 'open', evidence: `A quorum of them still opens older copies of the vault${files}` }
}

/** Passphrases that were changed: the old one still opens older copies of people.json. Of no key alone. */
export const passphraseCopies = (state: VaultState): Copy[] =>
  state.pastPassphrases.map(({ person, at }, index) => ({
    id: `passphrase:${person}:${index + 1}`,
    what: `Old passphrase of ${person}`,
    holder: person,
    status: 'open',
    evidence: `Opens copies of people.json from before ${utcDay(at)}`,
  }))
