import type { VaultReport } from '../../vault/verify.ts'

/** What was found of a vault, in sentences. `card`: a head card was compared with it; `how` one is given where none was. */
export function reportInWords(report: VaultReport, card: boolean, how = ''): string[] {
  const { name, practice, events, signatures, approvals, checkpoints, sealed, epoch, tail } = report
  return [
    `${name}${practice ? ' (practice)' : ''}: every page, event and signature is as it should be.`,
    `${events} events in one chain, ${signatures} signed by people, ${approvals} approvals, ${checkpoints} checkpoints signed by the root.`,
    `${sealed} sealed rows; epoch ${epoch}.`,
    ...(tail
      ? [`Events ${tail.from} to ${tail.to} stand after the newest checkpoint: the root has not signed them.`]
      : []),
    card
      ? 'The head card agrees: this is not an older copy than the card.'
      : `Whether a newer copy of this vault exists, only a head card can show${how}.`,
  ]
}
