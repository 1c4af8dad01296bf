import type { CeremonyKind } from './events.ts'
import type { Role } from './roster.ts'

/**
 * Ceremonies as data: numbered steps that follow from the kind of plan, printable before the ceremony starts. A step
 * names what must hold before it and what holds after it, so that a script out of order is found at a desk.
 */

/** What the world looks like between steps. */
export type Condition =
  | 'machine-checked'
  | 'vault-exists'
  | 'shares-proved'
  | 'plan-fits'
  | 'keys-made'
  | 'enrollment-compared'
  | 'runtime-known'
  | 'files-exported'
  | 'files-compared'
  | 'receipts-checked'
  | 'receipts-taken'
  | 'compromise-recorded'
  | 'revocations-signed'
  | 'confirmed'
  | 'bytes-gone'
  | 'epoch-new'
  | 'file-new'
  | 'absence-proved'
  | 'certificate-issued'
  | 'envelopes-sealed'
  | 'cooled-off'
  | 'restore-tried'
  | 'copy-written'
  | 'copy-opened'
  | 'replaced-attested'
  | 'copy-known'
  | 'vault-restored'
  | 'inventory-signed'
  | 'shares-dealt'
  | 'passphrase-changed'
  | 'root-rotated'
  | 'keys-read'
  | 'recipient-compared'
  | 'changes-made'

/** What performs a step; the runner looks it up by this name. */
export type Act =
  | 'create-vault'
  | 'prove-shares'
  | 'publish-anchor'
  | 'check-machine'
  | 'check-plan'
  | 'make-keys'
  | 'compare-enrollment'
  | 'accept-runtime'
  | 'export-files'
  | 'compare-files'
  | 'check-receipts'
  | 'take-receipts'
  | 'record-compromise'
  | 'sign-revocations'
  | 'check-dependencies'
  | 'confirm-destruction'
  | 'destroy-bytes'
  | 'new-epoch'
  | 'new-file'
  | 'prove-absence'
  | 'issue-certificate'
  | 'seal-envelopes'
  | 'compare-envelopes'
  | 'cool-off'
  | 'try-restore'
  | 'write-backup'
  | 'open-backup'
  | 'attest-replaced'
  | 'read-losses'
  | 'restore-vault'
  | 'sign-inventory'
  | 'deal-shares'
  | 'prove-new-shares'
  | 'activate-roster'
  | 'change-passphrase'
  | 'rotate-root'
  | 'publish-succession'
  | 'read-keys'
  | 'take-keys'
  | 'compare-recipient'
  | 'export-keys'
  | 'make-changes'

export type Step = {
  id: string
  title: string
  /** Who acts; `everyone` signs off. */
  who: Role | 'everyone'
  readAloud: string
  do: string
  observe: string
  minutes: number
  needs: readonly Condition[]
  gives: readonly Condition[]
  act: Act
  /** M custodians approve exactly this step before it is done; `if-asked`: where the plan gives it something to do. */
  quorum?: true | 'if-asked'
  /** Nothing leads back behind this step. */
  noWayBack?: true
  /** After this step another roster is in force, one epoch later. */
  newRoster?: true
}

const CHECK_MACHINE: Step = {
  id: 'check-machine',
  title: 'Check the machine',
  who: 'administrator',
  readAloud: 'We check that this machine works correctly before we trust it with keys.',
  do: 'Run the self-test of every algorithm and compare the clock with the newest event of the vault.',
  observe: 'Every algorithm gives its known answers, and the time is right.',
  minutes: 1,
  needs: [],
  gives: ['machine-checked', 'vault-exists'],
  act: 'check-machine',
}

const CHECK_PLAN: Step = {
  id: 'check-plan',
  title: 'Read the plan',
  who: 'compliance',
  readAloud: 'This is what today is for. The plan is checked against the rules and against the vault.',
  do: 'Compare the digest of the plan with the one reviewed beforehand.',
  observe: 'The digest is the same, and the plan fits the vault.',
  minutes: 3,
  needs: ['vault-exists', 'machine-checked'],
  gives: ['plan-fits'],
  act: 'check-plan',
}

const MAKE_KEYS: Step = {
  id: 'make-keys',
  title: 'Make the keys',
  who: 'administrator',
  readAloud: 'Each tenant gets keys of its own, each tenant in a process of its own, with fresh randomness.',
  do: 'Approve, and watch the keys being made, checked and sealed.',
  observe: 'Every key passes its checks, and no key was ever seen before.',
  minutes: 5,
  needs: ['plan-fits'],
  gives: ['keys-made'],
  act: 'make-keys',
  quorum: true,
}

const NEW_FILE: Step = {
  id: 'new-file',
  title: 'Move the vault to a new file',
  who: 'administrator',
  readAloud: 'The vault is written anew under a new file key.',
  do: 'Wait until the new file has been compared row by row.',
  observe: 'The vault opens from the new file.',
  minutes: 2,
  needs: ['epoch-new'],
  gives: ['file-new'],
  act: 'new-file',
}

export const SCRIPTS: Record<CeremonyKind, readonly Step[]> = {
  genesis: [
    {
      id: 'create-vault',
      title: 'Create the vault',
      who: 'administrator',
      readAloud: 'We create the vault: its people, their shares, and its root key. No tenant has a key yet.',
      do: 'Each person gets or chooses a passphrase that nobody else sees, and types it.',
      observe: 'Every person on the plan is enrolled, each with one role.',
      minutes: 10,
      needs: [],
      gives: ['vault-exists'],
      act: 'create-vault',
    },
    {
      id: 'prove-shares',
      title: 'Prove every share',
      who: 'custodian',
      readAloud: 'Each custodian proves that their share is the one the roster names.',
      do: 'Open each share once and compare it with its commitment.',
      observe: 'All shares are proved.',
      minutes: 5,
      needs: ['vault-exists'],
      gives: ['shares-proved'],
      act: 'prove-shares',
    },
    {
      id: 'publish-anchor',
      title: 'Publish the trust anchor',
      who: 'compliance',
      readAloud: 'This is the fingerprint of the root. Everything this vault will ever sign is checked against it.',
      do: 'Write the trust anchor to the medium and read aloud what the screen shows of its fingerprint.',
      observe: 'A second person writes it down, to find it again on the head card when that is printed.',
      minutes: 5,
      needs: ['shares-proved'],
      gives: ['files-exported'],
      act: 'publish-anchor',
    },
  ],
  onboard: [CHECK_MACHINE, CHECK_PLAN, MAKE_KEYS],
  'enroll-runtime': [
    CHECK_MACHINE,
    {
      id: 'compare-enrollment',
      title: 'Compare the fingerprint',
      who: 'compliance',
      readAloud: 'The operator reads the fingerprint from the runtime. We compare it with the file in front of us.',
      do: 'Compare the words of the fingerprint one by one.',
      observe: 'All words are the same.',
      minutes: 4,
      needs: ['vault-exists', 'machine-checked'],
      gives: ['enrollment-compared'],
      act: 'compare-enrollment',
    },
    {
      id: 'accept-runtime',
      title: 'Accept the runtime',
      who: 'administrator',
      readAloud: 'The root signs that this runtime may receive keys.',
      do: 'Approve.',
      observe: 'The runtime appears in the list with its environment.',
      minutes: 2,
      needs: ['enrollment-compared'],
      gives: ['runtime-known'],
      act: 'accept-runtime',
      quorum: true,
    },
  ],
  handoff: [
    CHECK_MACHINE,
    CHECK_PLAN,
    {
      id: 'export-files',
      title: 'Export the bundle and the key material',
      who: 'administrator',
      readAloud:
        'The schedule leaves in the open, signed. The keys leave encrypted to this one runtime and this one handoff.',
      do: 'Approve, write both files to the medium, and read them back.',
      observe: 'Both files read back as they were written.',
      minutes: 5,
      needs: ['plan-fits'],
      gives: ['files-exported'],
      act: 'export-files',
      quorum: true,
    },
    {
      id: 'compare-files',
      title: 'Compare the files',
      who: 'compliance',
      readAloud: 'This one digest stands for every tenant in the bundle.',
      do: 'Check the files as a stranger would, from the trust anchor alone.',
      observe: 'Signatures, counts and digests are right.',
      minutes: 2,
      needs: ['files-exported'],
      gives: ['files-compared'],
      act: 'compare-files',
    },
  ],
  envelope: [
    CHECK_MACHINE,
    CHECK_PLAN,
    {
      id: 'seal-envelopes',
      title: 'Seal the envelopes',
      who: 'administrator',
      readAloud:
        'What we seal lets the operators of one runtime withdraw keys of its tenants, and sign with standby keys, on a day when we are not there.',
      do: 'Approve, write the files of the plan, and put each medium into a numbered tamper-evident bag.',
      observe:
        'There is one envelope for each tenant of the plan, or one prepared revocation, and the numbers of the bags are written down.',
      minutes: 10,
      needs: ['plan-fits'],
      gives: ['envelopes-sealed'],
      act: 'seal-envelopes',
      quorum: true,
    },
    {
      id: 'compare-envelopes',
      title: 'Compare the envelopes',
      who: 'compliance',
      readAloud: 'We check each file as a stranger would, before its bag is closed.',
      do: 'Check the files from the trust anchor alone; then close the bags and name who keeps them.',
      observe: 'Every file is whole, and somebody is named who keeps it in a safe.',
      minutes: 5,
      needs: ['envelopes-sealed'],
      gives: ['files-compared'],
      act: 'compare-envelopes',
    },
  ],
  rotate: [CHECK_MACHINE, CHECK_PLAN, MAKE_KEYS],
  emergency: [
    CHECK_MACHINE,
    CHECK_PLAN,
    {
      id: 'record-compromise',
      title: 'Record the compromise',
      who: 'compliance',
      readAloud: 'These keys are not trusted any more. They will never sign again.',
      do: 'Approve the list of keys.',
      observe: 'Exactly the keys of the plan are marked, and no other tenant is touched.',
      minutes: 3,
      needs: ['plan-fits'],
      gives: ['compromise-recorded'],
      act: 'record-compromise',
      quorum: true,
      noWayBack: true,
    },
    { ...MAKE_KEYS, title: 'Make the replacements', needs: ['compromise-recorded'] },
    {
      id: 'sign-revocations',
      title: 'Sign the revocations',
      who: 'administrator',
      readAloud:
        'Each runtime that has one of these keys gets our word that it never signs again and is not published any more.',
      do: 'Approve, write one file for each of these runtimes to the medium, and read it back.',
      observe: 'There is one file for each runtime that has a marked key, and somebody carries it there at once.',
      minutes: 3,
      needs: ['compromise-recorded', 'keys-made'],
      gives: ['revocations-signed'],
      act: 'sign-revocations',
      quorum: 'if-asked',
    },
  ],
  'import-key': [
    CHECK_MACHINE,
    {
      id: 'read-keys',
      title: 'Read the keys to import',
      who: 'administrator',
      readAloud:
        'These keys were made elsewhere. We can see that they are not weak; how they were made, and who has copies, we cannot see.',
      do: 'Type the password of each file that has one, and read the key ids.',
      observe: 'Every key passes the same checks as a key made here, and was never in this vault.',
      minutes: 4,
      needs: ['vault-exists', 'machine-checked'],
      gives: ['keys-read'],
      act: 'read-keys',
    },
    {
      id: 'take-keys',
      title: 'Take the keys in',
      who: 'administrator',
      readAloud:
        'The imported keys sign first. The keys that follow them are made here now, and the imported ones retire by schedule.',
      do: 'Approve, and watch the keys being checked, made and sealed.',
      observe: 'The imported keys are marked, for ever: independence not attested.',
      minutes: 5,
      needs: ['keys-read'],
      gives: ['keys-made'],
      act: 'take-keys',
      quorum: true,
      noWayBack: true,
    },
  ],
  'export-key': [
    CHECK_MACHINE,
    CHECK_PLAN,
    {
      id: 'compare-recipient',
      title: 'Compare the recipient',
      who: 'compliance',
      readAloud: 'Only the holder of this key will be able to open the file. We compare its fingerprint by voice.',
      do: 'Call the holder on a number you know, and compare the words of the fingerprint one by one.',
      observe: 'All words are the same.',
      minutes: 4,
      needs: ['plan-fits'],
      gives: ['recipient-compared'],
      act: 'compare-recipient',
    },
    {
      id: 'export-keys',
      title: 'Export the keys',
      who: 'administrator',
      readAloud: 'From here on another issuer has these keys. The file stays in the list of copies for ever.',
      do: 'Approve, write the file to the medium, and read it back.',
      observe: 'The file reads back as it was written.',
      minutes: 4,
      needs: ['recipient-compared'],
      gives: ['files-exported'],
      act: 'export-keys',
      quorum: true,
    },
  ],
  amend: [
    CHECK_MACHINE,
    CHECK_PLAN,
    {
      id: 'make-changes',
      title: 'Make the changes',
      who: 'administrator',
      readAloud:
        'Exactly these changes are made. What was signed and handed over stays as it is; runtimes learn the rest with the next handoff.',
      do: 'Read each change, then approve all of them together.',
      observe: 'Every change stands in the list, and nothing else was changed.',
      minutes: 4,
      needs: ['plan-fits'],
      gives: ['changes-made'],
      act: 'make-changes',
      quorum: true,
    },
  ],
  intake: [
    CHECK_MACHINE,
    {
      id: 'check-receipts',
      title: 'Check the receipts',
      who: 'compliance',
      readAloud: 'The runtime states what it did. We check its signature and that no statement is missing.',
      do: 'Check the chain from the last receipt that the vault has.',
      observe: 'The chain is complete and continues ours.',
      minutes: 2,
      needs: ['vault-exists', 'machine-checked'],
      gives: ['receipts-checked'],
      act: 'check-receipts',
    },
    {
      id: 'take-receipts',
      title: 'Take the receipts',
      who: 'compliance',
      readAloud: 'What the runtime stated becomes part of the history.',
      do: 'Approve.',
      observe: 'The copy ledger shows what was closed.',
      minutes: 2,
      needs: ['receipts-checked'],
      gives: ['receipts-taken'],
      act: 'take-receipts',
      quorum: true,
    },
  ],
  destroy: [
    CHECK_MACHINE,
    {
      id: 'check-dependencies',
      title: 'Check what still needs the keys',
      who: 'compliance',
      readAloud: 'A key that signs, or may still have to sign, cannot be destroyed.',
      do: 'Read the state of each key and every known copy of it.',
      observe: 'No key of the plan is needed any more.',
      minutes: 5,
      needs: ['vault-exists', 'machine-checked'],
      gives: ['plan-fits'],
      act: 'check-dependencies',
    },
    {
      id: 'confirm-destruction',
      title: 'Confirm',
      who: 'custodian',
      readAloud: "The next step erases the vault's copy for good. Nobody can bring it back.",
      do: 'Each custodian types the words asked for.',
      observe: 'The typed words are exact.',
      minutes: 3,
      needs: ['plan-fits'],
      gives: ['confirmed'],
      act: 'confirm-destruction',
    },
    {
      id: 'cool-off',
      title: 'Wait',
      who: 'compliance',
      readAloud:
        'Where the policy asks for it, there is time now to think again. Nothing is erased before it has passed.',
      do: 'Close the vault, and come back when the time named has passed.',
      observe: 'The time that the policy asks for has passed.',
      minutes: 1,
      needs: ['confirmed'],
      gives: ['cooled-off'],
      act: 'cool-off',
    },
    {
      id: 'destroy-bytes',
      title: "Erase the vault's copy",
      who: 'administrator',
      readAloud: 'We erase the sealed keys.',
      do: 'Approve.',
      observe: 'The rows are overwritten and deleted.',
      minutes: 1,
      needs: ['confirmed', 'cooled-off'],
      gives: ['bytes-gone'],
      act: 'destroy-bytes',
      quorum: true,
      noWayBack: true,
    },
    {
      id: 'new-epoch',
      title: 'Draw a new quorum secret',
      who: 'administrator',
      readAloud: 'All remaining keys get new protection, so that old copies of the shares open nothing that remains.',
      do: 'Approve; those present prove their new shares.',
      observe: 'The epoch number is one higher.',
      minutes: 2,
      needs: ['bytes-gone'],
      gives: ['epoch-new'],
      act: 'new-epoch',
      newRoster: true,
      quorum: true,
    },
    NEW_FILE,
    {
      id: 'prove-absence',
      title: 'Prove that the keys are gone',
      who: 'compliance',
      readAloud: 'We look for the keys in every row and every page of the new file.',
      do: 'Read all rows and all decrypted pages.',
      observe: 'Nothing of the keys is found.',
      minutes: 2,
      needs: ['file-new'],
      gives: ['absence-proved'],
      act: 'prove-absence',
    },
    {
      id: 'try-restore',
      title: 'Try to open the keys from every copy at hand',
      who: 'compliance',
      readAloud: 'We now try to bring the keys back. A copy that still opens is named on the certificate.',
      do: 'Approve once; each backup on the medium that the plan names is opened with your shares.',
      observe: 'For each backup it is said which of the keys opened from it.',
      minutes: 3,
      needs: ['absence-proved'],
      gives: ['restore-tried'],
      act: 'try-restore',
      quorum: 'if-asked',
    },
    {
      id: 'issue-certificate',
      title: 'Issue the certificate',
      who: 'compliance',
      readAloud: 'The certificate says what was verified, what was only stated, and what software cannot prove.',
      do: 'Read the certificate, then approve.',
      observe: 'It is called deletion while any known copy is open, destruction only when none is.',
      minutes: 5,
      needs: ['absence-proved', 'restore-tried'],
      gives: ['certificate-issued'],
      act: 'issue-certificate',
      quorum: true,
    },
  ],
  custody: [
    CHECK_MACHINE,
    CHECK_PLAN,
    {
      id: 'deal-shares',
      title: 'Deal new shares',
      who: 'administrator',
      readAloud:
        'We draw a new quorum secret and deal it to the people of the new list. Until all of them have proved their share, the old list stays in force.',
      do: 'Approve; each new person types a passphrase that nobody else sees.',
      observe: 'Everybody on the new list has their place, and nobody lost theirs yet.',
      minutes: 10,
      needs: ['plan-fits'],
      gives: ['shares-dealt'],
      act: 'deal-shares',
      quorum: true,
    },
    {
      id: 'prove-new-shares',
      title: 'Prove every new share',
      who: 'custodian',
      readAloud:
        'Each custodian of the new list proves their share, whether it lies in the vault or on their own medium.',
      do: 'Open each new share once and compare it with its commitment. Who is not here must come before we go on.',
      observe: 'All new shares are proved.',
      minutes: 5,
      needs: ['shares-dealt'],
      gives: ['shares-proved'],
      act: 'prove-new-shares',
    },
    {
      id: 'activate-roster',
      title: 'Put the new list in force',
      who: 'administrator',
      readAloud: 'From now on the people of the new list open this vault. Old shares open nothing in it any more.',
      do: 'The custodians of the old list approve, then those of the new list.',
      observe: 'The epoch number is one higher, and every key is wrapped anew.',
      minutes: 3,
      needs: ['shares-proved'],
      gives: ['epoch-new'],
      act: 'activate-roster',
      quorum: true,
      noWayBack: true,
      newRoster: true,
    },
    NEW_FILE,
  ],
  passphrase: [
    CHECK_MACHINE,
    {
      id: 'change-passphrase',
      title: 'Change the passphrase',
      who: 'everyone',
      readAloud: 'One person changes their passphrase. Their keys stay the same and are sealed anew.',
      do: 'Type the new passphrase. Nobody else sees it.',
      observe: 'The new passphrase opens the keys.',
      minutes: 3,
      needs: ['vault-exists', 'machine-checked'],
      gives: ['passphrase-changed'],
      act: 'change-passphrase',
    },
  ],
  'root-rotate': [
    CHECK_MACHINE,
    CHECK_PLAN,
    {
      id: 'rotate-root',
      title: 'Let the successor take over',
      who: 'administrator',
      readAloud:
        'The sealed successor becomes the root. Both roots sign the succession, and a new successor is made and sealed.',
      do: 'Approve.',
      observe: 'The new root is the successor that the old trust anchor names.',
      minutes: 3,
      needs: ['plan-fits'],
      gives: ['root-rotated'],
      act: 'rotate-root',
      quorum: true,
      noWayBack: true,
    },
    {
      id: 'publish-succession',
      title: 'Publish the new trust anchor',
      who: 'compliance',
      readAloud: 'This is the fingerprint of the new root. Everything signed from now on is checked against it.',
      do: 'Write the new trust anchor and the succession to the medium and read the fingerprint aloud.',
      observe: 'A second person reads the same words from the file.',
      minutes: 5,
      needs: ['root-rotated'],
      gives: ['files-exported'],
      act: 'publish-succession',
    },
  ],
  backup: [
    CHECK_MACHINE,
    CHECK_PLAN,
    {
      id: 'write-backup',
      title: 'Write the copy',
      who: 'administrator',
      readAloud:
        'We copy the vault to this medium. Whoever holds it holds every key of today, sealed, until it is destroyed.',
      do: 'Approve, write the copy, and wait until it has been compared row by row.',
      observe: 'The copy reads back as it was written, and has a number of its own.',
      minutes: 4,
      needs: ['plan-fits'],
      gives: ['copy-written'],
      act: 'write-backup',
      quorum: true,
    },
    {
      id: 'open-backup',
      title: 'Open the copy once',
      who: 'custodian',
      readAloud: 'A backup that nobody ever opened is a hope. We open it now, with our own shares.',
      do: 'Approve; the copy is opened from the medium and the root key unsealed from it.',
      observe: 'The copy opens, shows the same history, and gives the same root.',
      minutes: 3,
      needs: ['copy-written'],
      gives: ['copy-opened'],
      act: 'open-backup',
      quorum: true,
    },
    {
      id: 'attest-replaced',
      title: 'Earlier copies',
      who: 'compliance',
      readAloud:
        'A new copy does not unmake an old one. Those that are destroyed today are attested today; the others stay open.',
      do: 'Each holder says what was done with the copy that this one replaces.',
      observe: 'Every copy that the plan replaces is attested, or said to stay open.',
      minutes: 4,
      needs: ['copy-opened'],
      gives: ['replaced-attested'],
      act: 'attest-replaced',
    },
  ],
  restore: [
    CHECK_MACHINE,
    CHECK_PLAN,
    {
      id: 'read-losses',
      title: 'Learn what the copy does not know',
      who: 'compliance',
      readAloud: 'The copy ends on the day when it was made. Receipts and certificates tell what happened since.',
      do: 'Check the chain of each file of receipts and the signature of each certificate; show the newest head card.',
      observe: 'What the lost vault did since is named as far as anybody knows it.',
      minutes: 6,
      needs: ['plan-fits'],
      gives: ['copy-known'],
      act: 'read-losses',
    },
    {
      id: 'restore-vault',
      title: 'Declare the lost vault dead',
      who: 'administrator',
      readAloud:
        'From here on this copy is the vault. The one that was lost is dead: if it is found, nobody opens it again.',
      do: 'Approve; write on every head card that is newer than this copy that it is void.',
      observe: 'The receipts are taken, and every key that comes back although it was destroyed is named.',
      minutes: 4,
      needs: ['copy-known'],
      gives: ['vault-restored'],
      act: 'restore-vault',
      quorum: true,
      noWayBack: true,
    },
  ],
  inventory: [
    CHECK_MACHINE,
    CHECK_PLAN,
    {
      id: 'sign-inventory',
      title: 'Sign the inventory',
      who: 'compliance',
      readAloud: 'Every key, every copy and every open question, as far as this vault knows them.',
      do: 'Compare rows, ledger and receipts; read what does not agree; then approve.',
      observe: 'What is open is named open, and what does not agree is named.',
      minutes: 8,
      needs: ['plan-fits'],
      gives: ['inventory-signed'],
      act: 'sign-inventory',
      quorum: true,
    },
  ],
}

/** Ceremonies that one person holds alone; whoever comes next as a quorum accepts what they left. */
const ALONE: ReadonlySet<CeremonyKind> = new Set(['passphrase'])
export const isAlone = (kind: CeremonyKind): boolean => ALONE.has(kind)

/** The closing that every ceremony has: record, signatures, checkpoint. It is the runner's own and has no performer. */
export const SIGN_OFF: Omit<Step, 'act'> = {
  id: 'sign-off',
  title: 'Sign the record',
  who: 'everyone',
  readAloud: 'Each of us signs what happened here.',
  do: 'Read the record, then sign it with your own key.',
  observe: "Everybody present has signed, and the root has signed the vault's newest state.",
  minutes: 5,
  needs: [],
  gives: [],
  quorum: true,
}

/** Steps whose precondition no earlier step establishes, as "step: condition". An empty list means the script is in order. */
export function lintScript(steps: readonly Step[]): string[] {
  const holds = new Set<Condition>()
  const missing: string[] = []
  for (const step of steps) {
    for (const condition of step.needs) if (!holds.has(condition)) missing.push(`${step.id}: ${condition}`)
    for (const condition of step.gives) holds.add(condition)
  }
  return missing
}
