import { language } from './language.ts'

const { counted } = language
const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1)

export const keys = {
  title: 'Keys and copies',
  lead: (keys: number, open: number) =>
    keys === 0
      ? 'No key was made in this vault yet.'
      : `${counted(keys, 'key')}. Of their known copies, ${counted(open, 'is', 'are')} open.`.replace(/^./, (first) =>
          first.toUpperCase(),
        ),
  find: 'Find a key',
  findHint: 'By name, tenant or key id',
  show: 'Show',
  filters: {
    all: 'All keys',
    live: 'Not destroyed',
    signing: 'Signing now',
    retired: 'Retired',
    compromised: 'Compromised',
    destroyed: 'Destroyed',
    copies: 'With open copies',
  },
  none: 'No key matches.',
  shown: (shown: number, of: number) =>
    shown === of ? capital(counted(of, 'key')) : `${shown.toLocaleString('en-GB')} of ${counted(of, 'key')}`,
  ofTenant: (name: string) => `Keys of ${name}`,
  allTenants: 'All keys',
  columns: {
    key: 'Key',
    tenant: 'Tenant',
    phase: 'Phase',
    state: 'NIST state',
    until: 'Signs until',
    copies: 'Open copies',
  },
  standby: 'standby',
  compromisedOn: (day: string) => `compromised ${day}`,
  destroyedOn: (day: string) => `destroyed ${day}`,
  openCopies: (count: number) => (count === 0 ? 'none' : counted(count, 'open', 'open')),
  back: 'All keys',
  lead1: (tenant: string, spec: string) => `${spec} of ${tenant}`,
  life: 'Its life',
  facts: {
    kid: 'Key id',
    tenant: 'Tenant',
    spec: 'Algorithm',
    phase: 'Phase',
    state: 'State by NIST SP 800‑57',
    announced: 'Published from',
    signs: 'Signs from',
    until: 'Signs until',
    extend: 'At the latest until',
    removed: 'Unpublished',
    compromised: 'Compromised',
    destroyed: 'Vault’s copy destroyed',
  },
  remarks: 'Remarks',
  copyClosed: { verified: 'Closed: verified', stated: 'Closed: stated', attested: 'Closed: attested' },
  copies: 'Every known copy',
  certificate: {
    deletion: (id: string) => `Certificate of deletion ${id}: the vault’s copy is erased, other copies stay open.`,
    destruction: (id: string) => `Certificate of destruction ${id}: every known copy is closed.`,
    none: 'No certificate yet.',
  },
  print: 'Print its page',
  destroy: 'Plan its destruction',
  unknown: 'This key is not in the vault that is open.',
}
