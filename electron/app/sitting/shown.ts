import type { CopyRow, Question, Sitting as Shown, SittingStep } from '../../../shared/contract/sitting.ts'
import type { CeremonyKind } from '../../../shared/domain/events.ts'
import { type Copy, copiesOf, gradeOf } from '../../../shared/domain/ledger.ts'
import { SCRIPTS, SIGN_OFF, type Step } from '../../../shared/domain/script.ts'
import type { Ceremony, VaultState } from '../../../shared/domain/state.ts'

/** What the screens see of a sitting, drawn from the vault's own state. */

type Told = { phase: Shown['phase']; current: string | null; ceremony: Ceremony | null }

/** Every step of the script and the sign-off, with what the record has of it. */
export function stepsOf(kind: CeremonyKind, { phase, current, ceremony }: Told): SittingStep[] {
  const all: readonly Omit<Step, 'act'>[] = [...SCRIPTS[kind], SIGN_OFF]
  return all.map((step) => {
    const done = ceremony?.done.find((one) => one.step === step.id)
    const signed = step.id === SIGN_OFF.id && ceremony?.ended?.how === 'completed'
    const now = phase === 'running' && step.id === current
    return {
      id: step.id,
      title: step.title,
      who: step.who,
      readAloud: step.readAloud,
      do: step.do,
      observe: step.observe,
      minutes: step.minutes,
      quorum: step.quorum !== undefined,
      noWayBack: step.noWayBack === true,
      status: done || signed ? 'done' : now ? 'now' : 'to-do',
      at: done?.at ?? (signed ? (ceremony?.ended?.at ?? null) : null),
      by: done?.by ?? null,
      observed: done?.observed ?? null,
    }
  })
}

type Doomed = Pick<Extract<Question, { ask: 'confirm' }>, 'keys' | 'certificate'>

/** What a destruction is about: its keys, every known copy of each, and what the certificate can be called. */
export function doomedOf(state: VaultState, ceremony: string | null): Doomed {
  const keys = (state.chosen.get(ceremony ?? '') ?? []).flatMap((kid) => state.keys.get(kid) ?? [])
  const copies = keys.map((key) => copiesOf(state, key))
  const after = copies.flat().filter((copy) => copy.id !== 'vault')
  return {
    keys: keys.map((key, index) => ({
      kid: key.kid,
      label: key.label,
      tenant: state.tenants.get(key.tenant)?.name ?? key.tenant,
      signedUntil: key.times.signUntil,
      copies: (copies[index] ?? []).map((copy) => rowOf(copy, key.destroyed !== null)),
    })),
    certificate: keys.length === 0 ? null : gradeOf(after),
  }
}

/** The certificates that a ceremony issued, and what each can be called. */
export function certificatesIn(state: VaultState, ceremony: string): NonNullable<Shown['result']>['certificates'] {
  const issued = [...state.keys.values()].flatMap(({ certificate }) =>
    certificate?.id.startsWith(`${ceremony}-`) ? [certificate] : [],
  )
  return [...new Map(issued.map(({ id, grade }) => [id, { id, grade }])).values()]
}

const rowOf = ({ id, what, holder, evidence, status }: Copy, erased: boolean): CopyRow => ({
  id,
  what,
  holder,
  evidence,
  state: status !== 'open' ? 'closed' : id === 'vault' && !erased ? 'ends-now' : 'stays-open',
})
