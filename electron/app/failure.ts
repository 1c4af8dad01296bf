import type { Failure } from '../../shared/contract/contract.ts'
import { asKeyriteError, CODES, type Code } from '../../shared/errors.ts'

/** A failure as the screens show it: the same codes and messages; what to do next is said for a window, not for a command line. */

const HINTS: Partial<Record<Code, string>> = {
  'usage-invalid': 'Correct what was typed and try again.',
  'plan-invalid': 'Correct the plan at the place named.',
  'not-anchored': 'Choose the trust anchor to check against.',
  'passphrase-wrong': 'Nothing has changed; type it again.',
  'passphrase-missing': 'Have the person named come to the keyboard.',
  'quorum-missing': 'Have the missing custodians come to the keyboard.',
  'ceremony-open': 'Go on with it from Home, or close it with a reason.',
  'ceremony-unknown': 'See Records for the ceremonies of this vault.',
  'ceremony-conflict': 'Make a plan that fits the vault as it is.',
  'ceremony-paused': 'Everything up to the last finished step is kept. Go on from Home when you are ready.',
  'vault-tail': 'Have a quorum look at these events, then accept them or close the ceremony with a reason.',
  'vault-rolled-back':
    'Stop. This is an older copy of the vault: find the newest one. Cards printed before a restore are void if they are newer than the backup.',
  'confirmation-missing': 'Begin the step again; each custodian types exactly the words shown.',
  'cooling-off': 'Nothing is erased yet. Go on from Home at the time named, or close the ceremony with a reason.',
  'clock-refused': 'Set the clock of this machine, then go on from Home; two people confirm the time again.',
  'bundle-gap': 'Import the missing bundle first. If it is lost, plan a handoff that names it as lost.',
  'receipts-gap': 'Bring the receipts that come before these first.',
  'tenant-unknown': 'See Home for the tenants of this vault.',
  'key-unknown': 'See Keys and copies for the keys of this vault.',
  'medium-full': 'Free some space or choose another medium, then go on from Home.',
  'medium-failed': 'Choose another medium, then go on from Home.',
  interrupted: 'Go on from Home when you are ready.',
}

const LEFT_OPEN =
  'The steps before are recorded; of the step under way nothing is kept. The ceremony stays open, to be gone on with or closed from Home.'

/** The failure for anything thrown, in its own words; what is not ours is told as `internal`, without its text. */
export function plainFailureOf(thrown: unknown): Failure {
  const { code, message, lost, hint } = asKeyriteError(thrown)
  return { code, message, lost, hint }
}

/** The same, in words for a window. */
export function failureOf(thrown: unknown): Failure {
  const { code, message, lost, hint } = plainFailureOf(thrown)
  const forCommands = /"(?:ceremony|vault|key|tenant|issuer) [a-z]|--[a-z]|same command/
  const own = HINTS[code]
  return {
    code,
    message: forCommands.test(message)
      ? message.replace(/ ?(?:Run|See|Give|Go on with|Finish it with) [^.]*"[^.]*\./g, '')
      : message,
    lost: forCommands.test(lost) ? LEFT_OPEN : lost,
    // A hint of its own says more than the code's, unless it names a command.
    hint: hint !== CODES[code].hint && !forCommands.test(hint) ? hint : (own ?? hint),
  }
}
