import { DAY } from './policy.ts'
import type { PersonName, SharePlace } from './roster.ts'
import type { VaultState } from './state.ts'

/** What home shows of people: whether each of them still knows their passphrase. */

/** A passphrase is proved by opening the vault for a ceremony, and due again after six months. */
export const PROVE_EVERY = 183 * DAY

export type PersonStatus = PersonName & {
  share: SharePlace | null
  /** Seconds since 1970; null for somebody who never did since they were enrolled. */
  lastProved: number | null
  due: number
  overdue: boolean
}

export const peopleStatus = (
  state: Pick<VaultState, 'ceremonies' | 'proved' | 'holders' | 'createdAt'>,
  people: readonly PersonName[],
  now: number,
): PersonStatus[] =>
  people.map(({ id, name, role }) => {
    const lastProved = provedAt(state, id)
    const due = (lastProved ?? state.createdAt) + PROVE_EVERY
    return { id, name, role, share: state.holders[id] ?? null, lastProved, due, overdue: now >= due }
  })

function provedAt({ ceremonies, proved }: Pick<VaultState, 'ceremonies' | 'proved'>, id: string): number | null {
  const there = [...ceremonies.values()].flatMap(({ attendance }) =>
    attendance.flatMap(({ at, present }) => (present.includes(id) ? [at] : [])),
  )
  const shares = [...proved.values()].flatMap((people) => people.get(id) ?? [])
  const all = [...there, ...shares]
  return all.length === 0 ? null : Math.max(...all)
}
