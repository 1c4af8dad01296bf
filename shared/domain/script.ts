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
  | 'confirmed'
  | 'bytes-gone'
  | 'epoch-new'
  | 'file-new'
  | 'absence-proved'
  | 'certificate-issued'

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
  | 'check-dependencies'
  | 'confirm-destruction'
  | 'destroy-bytes'
  | 'new-epoch'
  | 'new-file'
  | 'prove-absence'
  | 'issue-certificate'

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
  /** M custodians approve exactly this step before it is done. */
  quorum?: true
  /** Nothing leads back behind this step. */
  noWayBack?: true
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

export const SCRIPTS: Record<CeremonyKind, readonly Step[]> = {
  genesis: [
    {
      id: 'create-vault',
      title: 'Create the vault',
      who: 'administrator',
      readAloud: 'We create the vault: its people, their shares, and its root key. No tenant has a key yet.',
      do: 'Each person types a passphrase that nobody else sees.',
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
      do: 'Write the trust anchor to the medium and read its fingerprint aloud.',
      observe: 'A second person reads the same words from the file.',
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
      id: 'destroy-bytes',
      title: "Erase the vault's copy",
      who: 'administrator',
      readAloud: 'We erase the sealed keys.',
      do: 'Approve.',
      observe: 'The rows are overwritten and deleted.',
      minutes: 1,
      needs: ['confirmed'],
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
      quorum: true,
    },
    {
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
    },
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
      id: 'issue-certificate',
      title: 'Issue the certificate',
      who: 'compliance',
      readAloud: 'The certificate says what was verified, what was only stated, and what software cannot prove.',
      do: 'Read the certificate, then approve.',
      observe: 'It is called deletion while any known copy is open, destruction only when none is.',
      minutes: 5,
      needs: ['absence-proved'],
      gives: ['certificate-issued'],
      act: 'issue-certificate',
      quorum: true,
    },
  ],
}

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
