import { language } from './language.ts'

const { counted } = language

export const evidence = {
  title: 'Evidence',
  lead: 'What an auditor can be shown, and how far each statement goes.',
  tabs: { isolation: 'Isolation', controls: 'Controls', pack: 'Audit pack' },
  tabsLabel: 'Kinds of evidence',
  isolation: {
    apart: (tenants: number) =>
      tenants < 2
        ? 'There is only one tenant, so there is nothing to compare it with.'
        : `No two of the ${counted(tenants, 'tenant')} share anything that was compared.`,
    shared: (pairs: number) =>
      `${counted(pairs, 'pair')} of tenants ${pairs === 1 ? 'shares' : 'share'} something. Stop and look at it.`.replace(
        /^./,
        (first) => first.toUpperCase(),
      ),
    label: 'Tenant by tenant: what they share',
    own: 'its own',
    nothing: 'nothing shared',
    something: 'something shared',
    checked: 'What was compared',
    tenants: 'Tenants',
    columns: { tenant: 'Tenant', issuer: 'Issuer', keys: 'Keys', shares: 'Shares' },
    pair: 'Tenants',
    what: 'What they share',
    find: 'Find a tenant',
    none: 'No tenant yet.',
  },
  controls: {
    lead: 'Which requirement this vault speaks to. It shows what happened here; whether that is enough is for the auditor to say.',
    all: 'All frameworks',
    framework: 'Framework',
    columns: { control: 'Requirement', evidence: 'What this vault shows', met: 'How far' },
    met: { shown: 'Shown', partly: 'Partly', 'not shown': 'Not shown' },
  },
  pack: {
    verifyTitle: 'Is the vault whole?',
    verifyBody: 'Every page, event, signature and checkpoint is checked again from the trust anchor.',
    verify: 'Verify the vault',
    verifying: 'Checking the vault',
    whole: 'The vault is whole',
    buildTitle: 'Audit pack',
    buildBody: (name: string) =>
      `What the vault says of itself, in one folder: the trust anchor, the people, each tenant’s policy and keys with their known copies, the ceremonies with the fingerprints of their records, the runtimes, and what it does not hold. ${name} signs it, as who opened the vault. It holds no private key and no passphrase.`,
    build: 'Build the audit pack',
    building: 'Building the audit pack',
    built: (files: number) => `The audit pack is built: ${counted(files, 'file')}`,
    where: 'Folder',
    missing: 'What it does not hold',
    verifyIt: 'Verify the pack',
    print: 'Print the evidence page',
  },
}
