import { spellDuration } from '../../shared/domain/policy.ts'
import type { Ceremony, VaultState } from '../../shared/domain/state.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { openCheckpoint } from '../../shared/formats/checkpoint.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
import type { Ports, ShownCard, VaultPort } from './ports.ts'

/** Offline time and the head card: what a machine without a network cannot know by itself. */

/** How far a runtime's clock may be ahead of the vault's. */
export const AHEAD = 600
/** How far this machine's clock may move against the one that nobody can set, before a ceremony pauses. */
const JUMP = 60
/** More than this is no drift but a wrong date: the clock must be set before anything is signed. */
const MOST_OFFSET = 86_400

/**
 * Asks two people for UTC and gives ports whose clock is the machine's, corrected by what they read, for the rest of the
 * session. Codes `clock-refused` where they name one person, more than a day of difference, or once the clock jumps.
 */
export async function confirmTime<P extends Ports>(
  ports: P,
  present: readonly string[],
): Promise<{ ports: P; clock: Ceremony['clock'] }> {
  const clock = await ports.desk.confirmTime(ports.now(), present)
  if (clock) {
    const [first, second] = clock.by
    must(
      first !== second && clock.by.every((id) => present.includes(id)),
      'clock-refused',
      'Two different people who are present confirm the time.',
    )
    must(
      Math.abs(clock.offset) <= MOST_OFFSET,
      'clock-refused',
      `The clock of this machine is ${spellDuration(Math.abs(clock.offset))} ${clock.offset > 0 ? 'behind' : 'ahead of'} the watches.`,
    )
  }
  const offset = clock?.offset ?? 0
  const drift = ports.now() - ports.elapsed()
  const now = () => {
    const moved = Math.abs(ports.now() - ports.elapsed() - drift)
    must(
      moved <= JUMP,
      'clock-refused',
      `The clock of this machine jumped by ${spellDuration(moved)} during the ceremony.`,
      { hint: 'Check the clock, then go on with "ceremony resume"; the time is confirmed again.' },
    )
    return ports.now() + offset
  }
  return { ports: { ...ports, now }, clock }
}

/** The offline clock is never before the newest event or, but for what runtimes are granted, the newest receipt. Code `clock-refused`. */
export function checkClock(now: number, state: VaultState): void {
  must(now >= state.lastAt, 'clock-refused', 'The clock of this machine is behind the newest event of the vault.')
  for (const { runtimeId, receipts } of state.runtimes.values()) {
    const newest = receipts.statements.at(-1)?.at ?? 0
    must(
      now >= newest - AHEAD,
      'clock-refused',
      `The clock of this machine is ${spellDuration(newest - now)} behind the newest receipt of ${runtimeId}.`,
    )
  }
}

/** Asks for the newest head card and compares it with the chain. Code `vault-rolled-back` unless its event is in this vault. */
export async function compareCard(ports: Ports, vault: VaultPort): Promise<ShownCard | null> {
  const { checkpoint } = vault.state
  const kept = checkpoint && (await cardOf(checkpoint.statement, vault))
  const shown = await ports.desk.headCard(kept)
  if (shown) mustStand(shown, vault)
  return shown
}

/** Codes `vault-rolled-back`, with the numbers. */
export function mustStand(shown: ShownCard, vault: Pick<VaultPort, 'headAt' | 'state'>): void {
  if (shown.seq > vault.state.seq)
    throw new KeyriteError(
      'vault-rolled-back',
      `The head card shows event ${shown.seq}, but this vault ends with event ${vault.state.seq}: it is an older copy.`,
    )
  const head = vault.headAt(shown.seq)
  must(
    head !== null && hexOf(head).startsWith(shown.head),
    'vault-rolled-back',
    `The head card shows another history at event ${shown.seq} than this vault has.`,
  )
}

export async function cardOf(statement: string, { anchor }: Pick<VaultPort, 'anchor'>): Promise<ShownCard> {
  const { seq, head } = await openCheckpoint(statement, anchor.key, anchor.practice)
  return { seq, head: hexOf(head) }
}

const hexOf = (digest: string): string => hexGroups(digest).join('').toLowerCase()

export function describeTime(clock: Ceremony['clock'] | undefined): string {
  if (!clock) return 'Nobody confirmed the time; the clock of this machine was taken as it is.'
  const { offset, by } = clock
  const said = `${by.join(' and ')} confirmed UTC from their own watches`
  if (offset === 0) return `${said}; the clock of this machine is right.`
  return `${said}; the clock of this machine is ${spellDuration(Math.abs(offset))} ${offset > 0 ? 'behind' : 'ahead'}, and every time here is corrected by that.`
}

export const describeCard = (card: ShownCard | null | undefined): string =>
  card ? `The head card of event ${card.seq} agrees with this vault.` : 'No head card was shown.'
