import { language } from './language.ts'

export const quorum = {
  approvals: (given: number, needed: number) => `${given} of ${needed} approvals`,
  custodians: (given: number, needed: number) => `${given} of ${needed} custodians`,
  enough: (holders: number, needed: number) =>
    `${holders} ${holders === 1 ? 'custodian holds' : 'custodians hold'} a share; any ${needed} ${needed === 1 ? 'is' : 'are'} enough`,
  ofThoseHere: (custodians: number, needed: number) =>
    `${custodians} ${custodians === 1 ? 'custodian is' : 'custodians are'} here; any ${needed} ${needed === 1 ? 'is' : 'are'} enough`,
  approved: (clock: string) => `Approved ${clock}`,
  oneMore: 'One more',
  thenOneMore: 'Then one more',
  anyOf: (names: readonly string[]) => language.or(names),
}
