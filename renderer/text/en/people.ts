import { language } from './language.ts'

const { counted, number } = language

export const people = {
  title: 'People',
  lead: (threshold: number, custodians: number) =>
    `Any ${number(threshold)} of the ${counted(custodians, 'custodian')} act together. Nobody opens a key alone.`,
  columns: {
    name: 'Person',
    role: 'Role',
    share: 'Share',
    proved: 'Last proved',
    standing: 'Passphrase',
    acts: 'What to do',
  },
  share: { vault: 'in the vault, under their passphrase', medium: 'on a medium of their own' } as Record<
    string,
    string
  >,
  noShare: 'none',
  never: 'never',
  good: (day: string) => `good until ${day}`,
  overdue: (day: string) => `due since ${day}`,
  change: 'New passphrase',
  changeOf: (name: string) => `Plan a new passphrase for ${name}`,
  prove: 'Prove passphrases',
  proveTitle: 'Who still knows their passphrase',
  proveBody:
    'A passphrase is proved when its owner opens the vault with it in a ceremony. Twice a year is enough to notice in time that one was forgotten. An inventory changes nothing and proves everybody who comes.',
  allGood: 'Everybody proved theirs within six months.',
  due: (names: string) => `To prove: ${names}.`,
  custody: 'Change people or the quorum',
  custodyTitle: 'Who belongs to the vault',
  custodyBody:
    'People join, leave or change their role in a ceremony of their own. The shares of everybody are made anew, so the shares of somebody who left open nothing any more.',
  cardTitle: 'Head card',
  cardBody: (event: number | null) =>
    event === null
      ? 'The root has not signed yet. After the first ceremony there is a card for everybody.'
      : `The newest card says event ${event}. Whoever carries it can tell this vault from an older copy.`,
  card: 'Print the newest head card',
  epoch: (epoch: number) => `Quorum number ${epoch}`,
}
