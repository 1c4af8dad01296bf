export const danger = {
  cannotBeUndone: 'Cannot be undone',
  typeExactly: 'Each of these people types, exactly:',
  oneTypes: 'Type, exactly:',
  toGo: (count: number) => (count === 1 ? '1 character to go' : `${count} characters to go`),
  differs: (position: number) => `Character ${position} differs`,
  tooLong: 'Longer than the phrase',
  typed: (clock: string) => `Typed ${clock}`,
  complete: 'Typed',
}
