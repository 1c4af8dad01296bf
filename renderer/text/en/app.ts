import { language } from './language.ts'

export const app = {
  name: 'Keyrite',
  navigation: 'Keyrite',
  starting: 'Keyrite is starting.',
  loading: 'One moment.',
  vaultsAtHand: 'Vaults at hand',
  noVaults: 'None in this folder yet',
  noVaultOpen: 'No vault open',
  openedBy: (name: string, clock: string) => `opened by ${name}, ${clock}`,
  production: (people: number) => `Production · ${language.counted(people, 'person', 'people')}`,
  practice: (people: number) =>
    language.counted(people, 'person', 'people').replace(/^./, (first) => first.toUpperCase()),
  openVault: (events: number) => `open · event ${events}`,
  unreadable: 'does not read as a vault',
  screens: {
    home: 'Home',
    records: 'Records',
    keys: 'Keys and copies',
    people: 'People',
    evidence: 'Evidence',
    transfer: 'Transfer',
    verify: 'Verify a record',
  },
  viewing: {
    title: 'Viewing only',
    body: (threshold: number) =>
      `No key can be made, used, exported or destroyed without ${language.counted(threshold, 'custodian')}.`,
    close: 'Close the vault',
  },
  theme: { label: 'Theme', system: 'as the system', light: 'light', dark: 'dark' },
  lost: {
    title: 'Keyrite has ended',
    browser:
      'The program behind this window is gone, or another window took its place. What was finished is on disk; nothing that was recorded is lost.',
    next: 'Start Keyrite again the way you started it, and open the vault. A ceremony that was under way is paused: go on with it from Home.',
    electron:
      'The program behind this window has ended. What was finished is on disk; nothing that was recorded is lost.',
  },
  unanswered: {
    title: 'Keyrite did not answer',
    lost: 'It may have been done all the same. What was finished is on disk; nothing that was recorded is lost.',
    next: 'Look at what the window shows now, then try again.',
  },
  refused: {
    title: 'A call was refused',
    body: (why: string) =>
      `Something that is not this window tried to reach Keyrite, and was refused (${why}). Nothing was answered. If you do not know what it was, stop and look at this machine.`,
    dismiss: 'Close this notice',
  },
  practiceDrawer: {
    open: 'Practice people',
    title: 'The people of this practice',
    lead: 'They are made up, so their passphrases may be seen. In a real vault nobody sees anybody’s.',
    close: 'Close',
  },
  roles: { administrator: 'Administrator', custodian: 'Custodian', compliance: 'Compliance officer' },
  kinds: {
    genesis: 'New vault',
    onboard: 'Onboarding',
    'enroll-runtime': 'Enrollment of a runtime',
    handoff: 'Handoff',
    rotate: 'Rotation',
    emergency: 'Emergency',
    intake: 'Intake of receipts',
    destroy: 'Destruction',
    custody: 'Change of people',
    passphrase: 'New passphrase',
    'root-rotate': 'New root',
    'import-key': 'Import of a key',
    'export-key': 'Export of a key',
    amend: 'Amendment',
    backup: 'Backup',
    restore: 'Restore',
    inventory: 'Inventory',
    envelope: 'Emergency envelope',
  },
  folders: { path: 'Folder', choose: 'Look here', cancel: 'Cancel', up: 'One folder up' },
  needsVault: {
    title: 'No vault is open',
    body: 'Open one on Home to see what it holds.',
    go: 'Go to Home',
  },
}
