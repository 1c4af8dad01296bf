/**
 * One error class and one closed list of codes. A code is stable: scripts may rely on it.
 * Each code carries the exit status of the command line and what the reader should do next.
 */
export const CODES = {
  internal: { exit: 1, hint: 'This is a defect in Keyrite. Please report it with the code and the command.' },
  'usage-invalid': { exit: 2, hint: 'Run the command with --help to see what it takes.' },
  'config-invalid': { exit: 2, hint: 'Correct the named setting and start again.' },
  'plan-invalid': { exit: 2, hint: 'Correct the plan file at the place named, then run the ceremony again.' },
  'trust-policy-invalid': { exit: 2, hint: 'Correct the trust policy at the place named.' },
  'policy-rejected': { exit: 2, hint: 'Change the policy so that the rule holds; the sums are in the message.' },
  'tenant-id-invalid': {
    exit: 2,
    hint: 'Use 1 to 63 lower-case letters, digits and single hyphens, starting with a letter.',
  },
  'issuer-url-invalid': { exit: 2, hint: 'Use an https URL without port, query, fragment or trailing slash.' },

  'file-missing': { exit: 6, hint: 'Check the path and that the medium is mounted.' },
  'file-refused': { exit: 6, hint: 'Give a regular file that is not a link and does not change while it is read.' },
  'file-too-large': { exit: 3, hint: 'This is not a file that Keyrite wrote. Ask where it came from.' },
  'file-exists': { exit: 5, hint: 'Files are never overwritten. Choose another folder or move the old file away.' },
  'folder-not-empty': { exit: 5, hint: 'Choose a folder that does not exist yet, or an empty one.' },
  'medium-full': { exit: 6, hint: 'Free some space or take another medium, then run the same command again.' },
  'medium-failed': { exit: 6, hint: 'Take another medium and run the same command again.' },
  'port-in-use': { exit: 5, hint: 'Stop what listens there, or choose another port.' },

  'json-invalid': { exit: 3, hint: 'The file is damaged or was not made by Keyrite. Ask for it again.' },
  'format-invalid': { exit: 3, hint: 'The file is damaged or was not made by Keyrite. Ask for it again.' },
  'jose-refused': { exit: 3, hint: 'Do not use this file. Find out who made it.' },
  'signature-invalid': { exit: 3, hint: 'Do not use this file. Find out who made it.' },
  'decryption-failed': { exit: 3, hint: 'Check that this file was made for this runtime and this handoff.' },
  'not-anchored': { exit: 3, hint: 'Give the trust anchor with --trust-anchor.' },
  'key-refused': { exit: 3, hint: 'This key must not be used. Generate another and keep the report.' },

  'vault-missing': { exit: 6, hint: 'Check the path; a vault is a folder whose name ends in .vault.' },
  'vault-exists': { exit: 5, hint: 'Choose another name; a vault is never overwritten.' },
  'vault-in-use': { exit: 5, hint: 'Close the other Keyrite that has this vault open, then try again.' },
  'vault-damaged': {
    exit: 3,
    hint: 'Stop. Keep this folder as it is, and compare it with the head card and a backup.',
  },
  'vault-history-broken': {
    exit: 3,
    hint: 'Stop. Keep this folder as it is: its history was changed outside Keyrite.',
  },
  'vault-people-changed': { exit: 3, hint: 'Stop. Keep this folder as it is: somebody replaced a person in it.' },
  'vault-rolled-back': {
    exit: 3,
    hint: 'Stop. This is an older copy of the vault: find the newest one. Cards printed before a restore are void if they are newer than the backup.',
  },
  'vault-tail': {
    exit: 4,
    hint: 'See them with "ceremony list" and "ceremony show ID". Then go on with "ceremony resume --accept-tail", or close it with "ceremony abort --accept-tail --reason WHY".',
  },
  'kdf-refused': { exit: 3, hint: 'Stop. Keep this folder as it is: its passphrase protection was changed.' },
  'passphrase-missing': {
    exit: 4,
    hint: 'Put each passphrase in a file named by the id of its person, mode 0600, in the folder of --passphrases.',
  },
  'passphrase-wrong': { exit: 4, hint: 'Correct the file, or ask the person it belongs to.' },
  'passphrase-weak': {
    exit: 2,
    hint: 'Use six words chosen by dice or by a password generator, different for each person.',
  },
  'people-invalid': { exit: 2, hint: 'Correct the list of people in the plan.' },
  'quorum-missing': { exit: 4, hint: 'Bring the missing custodians and run the same command again.' },
  'share-invalid': { exit: 3, hint: 'Ask the named custodian for the share of this vault and this epoch.' },

  'ceremony-open': {
    exit: 5,
    hint: 'Finish it with "ceremony resume", or close it with "ceremony abort --reason WHY".',
  },
  'ceremony-unknown': { exit: 5, hint: 'See "ceremony list" for the ceremonies of this vault.' },
  'ceremony-conflict': {
    exit: 5,
    hint: 'Make a plan that fits the vault as it is: see "tenant list", "key list" and "ceremony list".',
  },
  'comparison-failed': { exit: 4, hint: 'Stop here. Find out which side shows something else before going on.' },
  'ceremony-paused': {
    exit: 130,
    hint: 'Everything up to the last step is kept. Go on with "ceremony resume --accept-tail", or close it with "ceremony abort --accept-tail --reason WHY".',
  },
  'confirmation-missing': { exit: 4, hint: 'Repeat with --confirm and exactly the words asked for.' },
  'cooling-off': {
    exit: 130,
    hint: 'Nothing is erased yet. Go on at that time with "ceremony resume --accept-tail", or close it with "ceremony abort --accept-tail --reason WHY".',
  },
  'destruction-blocked': {
    exit: 5,
    hint: 'Wait until the key is no longer needed. If it was stolen or tainted, hold an emergency ceremony for it first.',
  },
  'clock-refused': { exit: 7, hint: 'Set the clock of this machine and confirm it from two independent watches.' },
  'environment-unsafe': {
    exit: 7,
    hint: 'Put the named things right, or have somebody give a reason for each: it stands in the record.',
  },
  'self-test-failed': { exit: 7, hint: 'Do not use this machine for ceremonies until the named algorithm works.' },
  'generator-failed': {
    exit: 7,
    hint: 'Do not use this machine for ceremonies until its random generator is trusted again.',
  },

  'vault-mismatch': { exit: 3, hint: 'This file comes from another vault. Take the files of this one.' },
  'audience-wrong': { exit: 3, hint: 'This file is for another runtime. Take the one made for this runtime.' },
  'environment-wrong': { exit: 3, hint: 'This file is for another environment. Take the one made for this one.' },
  'practice-refused': { exit: 3, hint: 'Practice and production never mix. Take files from the right vault.' },
  'file-expired': { exit: 3, hint: 'Ask for a new handoff.' },
  'file-from-future': { exit: 3, hint: 'Compare the clocks of both machines before going on.' },
  'bundle-lower': { exit: 5, hint: 'This runtime already has a newer bundle. Take the newest one.' },
  'bundle-gap': {
    exit: 5,
    hint: 'Import the missing bundle first. If it is lost, ask for a handoff that names it "lost" and catches up.',
  },
  'bundle-forked': { exit: 3, hint: 'Stop and tell the compliance officer: two different bundles carry one number.' },
  'revocation-lower': {
    exit: 5,
    hint: 'Ask the vault for a new revocation. Until it is here, "issuer taint --withdraw" does the same for one key.',
  },
  'revocation-forked': {
    exit: 3,
    hint: 'Stop and tell the compliance officer: two different revocations carry one number.',
  },
  'bundle-late': { exit: 3, hint: 'Ask for a new bundle; this one would break relying parties.' },
  'bundle-refused': {
    exit: 3,
    hint: 'Nothing was imported. Ask for a new handoff and keep this file for the inquiry.',
  },
  'tombstone-hit': { exit: 3, hint: 'Stop: a destroyed key came back. It needs a new destruction.' },
  'receipts-gap': {
    exit: 5,
    hint: 'Bring the receipts that come before these first: "issuer receipts export --all" writes the whole chain.',
  },
  'receipts-forked': { exit: 3, hint: 'Stop and tell the compliance officer: this runtime tells two stories.' },
  'enrollment-refused': {
    exit: 5,
    hint: 'If it is the same runtime, go on with a handoff; another runtime needs an id of its own.',
  },
  'runtime-unknown': { exit: 5, hint: 'Enroll the runtime first, with an enroll-runtime ceremony.' },
  'tenant-unknown': { exit: 5, hint: 'See "tenant list" for a vault, "issuer status" for a runtime.' },
  'key-unknown': { exit: 5, hint: 'Give the whole key id: see "key list" for a vault, "issuer status" for a runtime.' },
  'signing-refused': { exit: 5, hint: 'See "issuer status" for the key that may sign.' },

  'runtime-exists': { exit: 5, hint: 'Choose a folder without a runtime; a runtime is never initialised twice.' },
  'runtime-missing': { exit: 6, hint: 'Start with "keyrite issuer init".' },
  'runtime-behind': { exit: 3, hint: 'The store is older than what this runtime last did. Restore the newest one.' },
  'second-place-damaged': {
    exit: 3,
    hint: 'Keep the files of the second place for the inquiry, then move them away: the runtime begins new ones at once.',
  },
  'storage-key-wrong': { exit: 3, hint: 'Give the storage key that belongs to this store.' },
  'store-damaged': {
    exit: 3,
    hint: 'Stop the runtime, keep its folder as it is, and restore the newest copy of the store.',
  },
  'store-missing': { exit: 6, hint: 'Check which database ISSUER_STORE names; "issuer init" makes the store.' },
  'store-unreachable': {
    exit: 6,
    hint: 'Check the database, its address, user and password. The runtime goes on by itself once it answers.',
  },
  'store-busy': { exit: 5, hint: 'Another command is changing this runtime. Run the same command again.' },
  'client-exists': { exit: 5, hint: 'Choose another client id, or remove the old client first.' },
  'client-unknown': { exit: 5, hint: 'See "issuer client list".' },
  'verification-failed': { exit: 3, hint: 'Read the list of findings; do not rely on what failed.' },
  interrupted: { exit: 130, hint: 'Run the same command again to go on.' },
} as const satisfies Record<string, { exit: number; hint: string }>

export type Code = keyof typeof CODES

export type ErrorOptions = {
  /** What to do next, where the code's own hint is not the best one. */
  hint?: string
  /** Whether anything changed or was lost; the default says that nothing was. */
  lost?: string
  cause?: unknown
}

/** Every failure that Keyrite foresees. `message` says what happened, in plain words and without secrets. */
export class KeyriteError extends Error {
  readonly code: Code
  readonly hint: string
  readonly lost: string

  constructor(code: Code, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'KeyriteError'
    this.code = code
    this.hint = options.hint ?? CODES[code].hint
    this.lost = options.lost ?? 'Nothing was changed.'
  }

  get exit(): number {
    return CODES[this.code].exit
  }
}

/** Throws `code` unless `condition` holds. */
export function must(condition: unknown, code: Code, message: string, options?: ErrorOptions): asserts condition {
  if (!condition) throw new KeyriteError(code, message, options)
}

/** True when `error` is one of ours, with that code if one is given. */
export function isKeyriteError(error: unknown, code?: Code): error is KeyriteError {
  return error instanceof KeyriteError && (code === undefined || error.code === code)
}

/** What to print of any thrown value: ours as it is, anything else as `internal` without its text (it may hold secrets). */
export function asKeyriteError(error: unknown): KeyriteError {
  if (error instanceof KeyriteError) return error
  const name = error instanceof Error ? error.name : typeof error
  return new KeyriteError('internal', `Something failed that Keyrite did not expect (${name}).`, {
    lost: 'What was committed before stays; nothing was committed half.',
    cause: error,
  })
}

/** Closes a switch: a new case that is not handled is a type error. */
export function never(value: never): never {
  throw new KeyriteError('internal', `A case is not handled: ${String(value)}`)
}
