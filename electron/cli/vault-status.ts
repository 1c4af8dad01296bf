import { peopleStatus } from '../../shared/domain/home.ts'
import { sealAnew } from '../../shared/domain/ledger-envelopes.ts'
import { passphraseCopies } from '../../shared/domain/ledger-people.ts'
import { count } from '../../shared/domain/plural.ts'
import { preparedRevocations } from '../../shared/domain/prepared-revocations.ts'
import { openCeremony } from '../../shared/domain/state.ts'
import { utcDay, utcTime } from '../../shared/domain/utc.ts'
import type { Vault } from '../vault/vault.ts'
import { headOf } from '../vault/verify.ts'
import { table } from './format.ts'
import type { Answer } from './output.ts'

/** `vault status`: what home shows. People and when each last proved their passphrase; epoch, open ceremony, tail, checkpoint. */
export async function vaultStatus(vault: Vault, now = Math.floor(Date.now() / 1000)): Promise<Answer> {
  const { state, roster, tail } = vault
  const open = openCeremony(state)
  const { signed, headHex, root } = await headOf(vault)
  const people = peopleStatus(state, roster.people, now)
  const oldPassphrases = passphraseCopies(state)
  const anew = sealAnew(state)
  const prepared = preparedRevocations(state, now)
  const data = {
    vaultId: state.vaultId,
    name: state.name,
    practice: state.practice,
    epoch: state.epoch,
    threshold: roster.threshold,
    people,
    dealt: state.pending && { epoch: state.pending.epoch, custodians: state.pending.custodians },
    openCeremony: open && { ceremony: open.id, kind: open.kind, startedAt: open.startedAt },
    tail,
    checkpoint: signed && { seq: signed.seq, head: signed.head, at: signed.at },
    head: { seq: state.seq, hex: headHex.join(' ') },
    root,
    pastEpochs: state.pastEpochs,
    oldPassphrases,
    preparedRevocations: prepared,
  }
  const rows = people.map(({ id, name, role, share, lastProved, due, overdue }) => [
    id,
    name,
    share === 'medium' ? `${role}, share on own medium` : role,
    lastProved === null ? 'never' : utcDay(lastProved),
    `${utcDay(due)}${overdue ? ', overdue' : ''}`,
  ])
  const lines = [
    `${state.name}${state.practice ? ' (practice)' : ''}: epoch ${state.epoch}, ${roster.threshold} of ${roster.shares.length} custodians.`,
    '',
    table([['PERSON', 'NAME', 'ROLE', 'LAST PROVED', 'DUE'], ...rows]),
    '',
    open ? `Open ceremony: ${open.id}, ${open.kind}, since ${utcTime(open.startedAt)}.` : 'No ceremony is open.',
    tail ? vault.describeTail() : 'The root has signed everything.',
    signed ? `Newest checkpoint: event ${signed.seq}, ${utcTime(signed.at)}.` : 'Nothing is signed by the root yet.',
    ...state.pastEpochs.map(
      ({ epoch, until, holders }) =>
        `Shares of epoch ${epoch} (until ${utcDay(until)}; ${Object.keys(holders).join(', ')}) still work on older copies of the vault.`,
    ),
    ...(anew ? [anew] : []),
    ...prepared.map(
      ({ order, runtimeId, keys, exp, standing, note }) =>
        `Prepared revocation ${order} for ${runtimeId}, ${count(keys, 'key')}, until ${utcDay(exp)}: ${standing}.${note && ` ${note}`}`,
    ),
    ...oldPassphrases.map(({ what, evidence }) => `${what}: ${evidence.charAt(0).toLowerCase()}${evidence.slice(1)}.`),
  ]
  return { data, text: lines.join('\n') }
}
