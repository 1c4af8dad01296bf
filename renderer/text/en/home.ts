import { language } from './language.ts'

const { counted, number } = language
const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1)
const own = (name: string): string => `${name}’s`
const others = (name: string, count: number): string =>
  count === 1 ? name : `${name} and ${counted(count - 1, 'other')}`

export const home = {
  headline: {
    none: 'The vault is ready. No tenant lives in it yet.',
    oneSigns: (name: string) => `${name} is signing.`,
    allSign: (count: number) => `All ${number(count)} live tenants are signing.`,
    noneLive: 'No tenant is live.',
    oneSilent: (name: string) => `${name} lacks a key that signs.`,
    silent: (silent: number, live: number) =>
      `${capital(number(silent))} of ${number(live)} live tenants ${silent === 1 ? 'lacks' : 'lack'} a key that signs.`,
    open: (ceremony: string) => `Ceremony ${ceremony} is not finished.`,
    tail: 'Some events were not accepted by a quorum yet.',
    keyDue: (name: string, day: string) => `${own(name)} next key is due by ${day}.`,
    keysDue: (count: number, day: string) => `The next keys of ${number(count)} tenants are due, the first by ${day}.`,
    keyOverdue: (name: string, day: string) => `${own(name)} next key was due by ${day}.`,
    keysOverdue: (count: number) => `The next keys of ${number(count)} tenants are overdue.`,
    nextDue: (name: string, day: string) => `Next is ${own(name)} key, by ${day}.`,
    nothingDue: 'No key is due.',
  },
  needed: (threshold: number, custodians: number) =>
    `${capital(number(threshold))} of the ${number(custodians)} custodians need to be in the room.`,
  anyChange: (threshold: number, custodians: number) =>
    `Any change to keys needs ${number(threshold)} of the ${number(custodians)} custodians in the room.`,
  start: 'Start a ceremony',
  rehearse: 'Rehearse one',
  verify: 'Verify a record',
  nothingToResume: 'Nothing to resume',
  resume: {
    title: (ceremony: string, kind: string) => `${ceremony}, ${kind.toLowerCase()}, is not finished`,
    stands: (done: number, of: number, next: string) => `${done} of ${of} steps are done. It stands at “${next}”.`,
    since: (when: string) => `It began on ${when}. What was finished is kept.`,
    mustFinish: 'It cannot be closed any more: a step without a way back is done, so it has to be finished.',
    go: 'Go on with it',
    close: 'Close it with a reason…',
  },
  closing: {
    title: (ceremony: string) => `Close ${ceremony} without finishing it`,
    body: 'The people who are needed come in once more and close it. The record says why. Keys that were made in it and never left the vault are erased for good; everything else stays as it is.',
    reason: 'Why it is closed',
    hint: 'One sentence. It stands in the record.',
    tooShort: 'Say in a few words why.',
    go: 'Close the ceremony',
    cancel: 'Leave it open',
  },
  find: 'Find a tenant',
  show: 'Show',
  filters: {
    all: 'All tenants',
    due: 'Next key not made',
    silent: 'Not signing',
    reserved: 'Reserved',
    ended: 'Ended',
  },
  shown: (shown: number, of: number) =>
    shown === of ? counted(of, 'tenant') : `${shown.toLocaleString('en-GB')} of ${counted(of, 'tenant')}`,
  noneFound: 'No tenant matches.',
  entry: {
    noCustomer: 'no customer yet',
    noKey: 'no key',
    waiting: (keys: number) =>
      keys === 0
        ? 'No key is made for it yet.'
        : `${capital(counted(keys, 'key'))} made and sealed. ${keys === 1 ? 'It waits' : 'They wait'} for a name.`,
    ready: 'Ready',
    notReady: 'Empty',
    reserved: 'reserved',
    left: (day: string) => `Left on ${day}.`,
    ended: 'Ended',
    since: (day: string) => `since ${day}`,
    to: (day: string) => `to ${day}`,
    nothing: 'Not signing',
    never: 'no key yet',
    longer: 'Overtime',
    starts: (day: string) => `starts ${day}`,
    first: 'Announced',
  },
  empty: {
    title: 'No tenant yet',
    body: 'Each tenant gets an issuer, keys and a schedule of its own. Onboard the first one in a ceremony.',
    go: 'Plan an onboarding',
  },
  attention: {
    title: 'Needs attention',
    nothing: 'Nothing needs you.',
    nothingElse: 'Nothing else needs you.',
    dueBy: (day: string) => `Due by ${day}`,
    overdueSince: (day: string) => `Overdue since ${day}`,
    overdue: 'Overdue',
    due: 'Due',
    'rotation-due': {
      title: (name: string, count: number) =>
        count === 1 ? `Make ${own(name)} next key` : `Make the next keys of ${counted(count, 'tenant')}`,
      body: 'It must exist by then, so that everybody who verifies tokens knows it before it signs.',
      go: 'Plan the rotation',
    },
    'no-key': {
      status: 'No key',
      title: (name: string, count: number) => `${others(name, count)} ${count === 1 ? 'lacks' : 'lack'} a key`,
      body: 'For an algorithm of the policy no key signs now, so no token is issued with it.',
      go: 'Plan a key',
    },
    'open-copies': {
      status: 'Open copy',
      title: (name: string, count: number) =>
        count === 1 ? `A copy of ${name} stays open` : `${capital(counted(count, 'copy', 'copies'))} stay open`,
      body: 'Nobody showed yet that they are gone.',
      go: 'See the copies',
    },
    'receipts-missing': {
      status: 'Receipts missing',
      title: (name: string, count: number) => `Nothing new from ${others(name, count)}`,
      body: 'Bring its receipts before the next handoff.',
      go: 'Take in receipts',
    },
    'handoff-due': {
      status: 'Handoff due',
      title: (name: string, count: number) => `Hand keys to ${others(name, count)}`,
      body: 'Keys that it needs are still in the vault alone.',
      go: 'Plan the handoff',
    },
    'backup-untested': {
      status: 'Backup',
      title: 'No tried backup holds everything',
      body: 'There is none yet, the newest was never opened, or it is older than the newest keys.',
      go: 'Plan a backup',
    },
    'passphrase-due': {
      title: (name: string, count: number) =>
        count === 1 ? `${own(name)} passphrase` : `${capital(counted(count, 'passphrase'))} to prove`,
      body: (day: string | null) =>
        `${day === null ? 'Never proved since it was chosen.' : `Last proved on ${day}.`} Due every six months.`,
      go: 'See the people',
    },
    'head-card': {
      status: 'Head card',
      title: 'Compare the newest head card',
      body: 'Only a card on paper shows that nobody put an older copy of the vault here.',
      go: 'Print the newest card',
    },
    'ceremony-open': {
      status: 'Not finished',
      title: (name: string) => `${name} stands open`,
      body: 'Go on with it, or close it with a reason.',
      go: 'Go on with it',
    },
    tail: {
      status: 'Not accepted',
      title: 'Events wait for a quorum',
      body: 'They were written after the last signature. The next ceremony shows them and asks the custodians.',
      go: 'Plan an inventory',
    },
    'destruction-due': {
      status: 'Destruction due',
      title: (name: string, count: number) => (count === 1 ? `Destroy ${name}` : `Destroy ${counted(count, 'key')}`),
      body: 'No longer signing; the policy says to destroy the private half.',
      go: 'Plan the destruction',
    },
  },
  opening: {
    title: 'Which vault do you want to look at?',
    titleNone: 'No vault is here yet',
    lead: 'One person’s passphrase opens it for viewing. No key can be used with it.',
    leadNone: (folder: string) => `Keyrite looked in ${folder}.`,
    open: (name: string) => `Open ${name}`,
    choose: 'Vault',
    who: 'Who looks',
    passphrase: (name: string) => `${name}, your passphrase`,
    hint: 'Used once to open the vault, then forgotten.',
    go: 'Open',
    opening: 'Opening. This takes a second or two on purpose.',
    create: 'Create a new vault',
    elsewhere: 'Look in another folder…',
    verify: 'Verify a record',
    back: (name: string) => `Back to ${name}`,
    problem: 'This folder does not read as a vault.',
    practice: 'PRACTICE',
    people: (count: number, threshold: number) => `${counted(count, 'person', 'people')}, any ${threshold} custodians`,
    or: 'Or',
  },
}
