import { cannotCloseAfter } from '../../shared/domain/closing.ts'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { SCRIPTS } from '../../shared/domain/script.ts'
import { must } from '../../shared/errors.ts'
import { act, type Context } from './context.ts'
import type { Ports, VaultPort } from './ports.ts'
import { actorFor, needQuorum, openOrRefuse, tailAccepted } from './steps.ts'
import { confirmTime } from './time.ts'

/**
 * Closes an interrupted ceremony with a reason. Keys it made that never left are erased; what happened stays recorded.
 * `timed`: the clock of `ports` is confirmed already, in the same session.
 * Codes as `resumeCeremony`, `usage-invalid` without a reason, `ceremony-conflict` for a destruction that has begun.
 */
export async function abortCeremony(
  ports: Ports,
  vault: VaultPort,
  options: { reason: string; acceptTail: boolean; timed?: true },
): Promise<{ ceremony: string; erased: number }> {
  const open = openOrRefuse(vault)
  const reason = options.reason.trim()
  must(
    reason !== '' && reason.length <= 1000,
    'usage-invalid',
    'A ceremony is closed with a reason of at most 1000 characters.',
  )
  const last = cannotCloseAfter(open)
  must(
    !last,
    'ceremony-conflict',
    `${open.id} cannot be closed any more: the step “${last?.title}” is done, and what it began must be brought to its end.`,
    { hint: 'Finish it with "ceremony resume".' },
  )
  needQuorum(vault)
  const { ports: timed } = options.timed ? { ports } : await confirmTime(ports, [...vault.present.keys()])
  await tailAccepted(timed, vault, options.acceptTail)
  vault.tidy()
  const { state } = vault
  const left = new Set(
    [...state.runtimes.values()].flatMap((runtime) => runtime.handoffs.flatMap((handoff) => handoff.keys)),
  )
  const halfMade = [...state.keys.values()]
    .filter((key) => key.bornIn === open.id && !key.destroyed && !left.has(key.kid))
    .map((key) => key.kid)
  const remove = halfMade.flatMap((kid) => [`key:${kid}`, `wrap:${kid}`])
  const events: VaultEvent[] = [{ type: 'ceremony-aborted', ceremony: open.id, reason }]
  if (halfMade.length > 0)
    events.unshift({
      type: 'keys-destroyed',
      kids: halfMade,
      reason: 'The ceremony that made it was aborted',
      marks: vault.marksOf(remove),
    })
  const context = {
    vault,
    ceremony: open.id,
    planDigest: open.planDigest,
    step: { id: 'abort', who: 'administrator', title: 'Close the ceremony without finishing it' },
    ports: timed,
  } as Context
  await act(context, { abort: open.id }, async (quorum, approved) => {
    await vault.commitWithCheckpoint([approved, ...events], timed.now(), actorFor(vault, 'administrator'), quorum, {
      remove,
    })
    // What was dealt and never came into force is dropped.
    vault.tidy()
  })
  const marked = SCRIPTS[open.kind].some((step) => step.noWayBack && open.done.some((done) => done.step === step.id))
  if (marked)
    ports.say(
      `  The keys that ${open.id} marked stay compromised: they never sign again, and a replacement made here is erased. Run another emergency ceremony with the same scope to make replacements, then hand over to every runtime.`,
    )
  return { ceremony: open.id, erased: halfMade.length }
}
