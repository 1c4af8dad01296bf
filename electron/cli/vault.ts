import { Command } from 'commander'
import { NOT_ATTESTED } from '../../shared/domain/imported.ts'
import { keysOf } from '../../shared/domain/state.ts'
import { utcDay, utcTime } from '../../shared/domain/utc.ts'
import { listedKeys } from '../app/records/key-rows.ts'
import { reportInWords } from '../app/records/vault-report.ts'
import { mustStand } from '../ceremony/time.ts'
import type { Vault } from '../vault/vault.ts'
import { headOf, verifyVault } from '../vault/verify.ts'
import { table } from './format.ts'
import { audit } from './key-audit.ts'
import { exportedKeyCommands } from './key-export.ts'
import { text } from './open-vault.ts'
import { type Answer, answering } from './output.ts'
import { readCard } from './room.ts'
import { proveCommand } from './tenant.ts'
import { vaultStatus } from './vault-status.ts'
import { withView } from './view.ts'

/** `vault verify`, `vault head`, `key list`, `tenant list`: looking at a vault with any one person's passphrase. */

type Options = Record<string, unknown>

const looking = (command: Command, look: (vault: Vault, options: Options) => Promise<Answer> | Answer) =>
  command
    .requiredOption('--vault <folder>', 'the vault')
    .option('--passphrases <folder>', 'one file per person, named by the id (default: ask one person)')
    .action(answering((_: string[], options: Options) => withView(options, (vault) => look(vault, options))))

export function vaultCommands(): Command[] {
  const vault = new Command('vault').description('look at a vault and check it')
  looking(
    vault
      .command('verify')
      .description('check every page, event, signature and checkpoint')
      .option('--head-card <file>', 'a head card (head-card.keyrite of a record) that must agree with this vault'),
    verify,
  )
  looking(
    vault.command('status').description('people, when each last proved their passphrase, and what is open'),
    (open) => vaultStatus(open),
  )
  looking(vault.command('head').description("the vault's newest state, as on the head card"), head)
  const key = new Command('key').description('the keys of a vault')
  looking(key.command('list').description('every key with its phase, state and copies'), keys)
  for (const command of exportedKeyCommands()) key.addCommand(command)
  looking(key.command('audit').description('lint every public key again and look for shared factors'), audit)
  const tenant = new Command('tenant').description('the tenants of a vault')
  looking(tenant.command('list').description('every tenant with its issuer and schedule'), tenants)
  tenant.addCommand(proveCommand())
  return [vault, key, tenant]
}

async function verify(vault: Vault, options: Options): Promise<Answer> {
  const card = text(options['headCard'])
  if (card) mustStand(readCard(card), vault)
  const report = await verifyVault(vault)
  const lines = reportInWords(report, Boolean(card), ' (--head-card)')
  return { data: report, text: lines.join('\n') }
}

async function head(vault: Vault): Promise<Answer> {
  const data = await headOf(vault)
  const { signed, laterEvents } = data
  const rows = (groups: string[]) => [groups.slice(0, 8).join(' '), groups.slice(8).join(' ')]
  const head = signed ? rows(signed.headHex) : ['nothing is signed by the root yet', '']
  const [first = '', second = ''] = rows(data.rootHex)
  const later =
    laterEvents <= 1
      ? 'One later event: this signature itself.'
      : `${laterEvents} later events: a ceremony is not completed.`
  const text = [
    `Vault     ${data.name}`,
    `Event     ${signed?.seq ?? 0}${signed ? `, signed by the root ${utcTime(signed.at)}` : ''}`,
    `Head      ${head[0]}`,
    `          ${head[1]}`,
    `          ${later}`,
    `Root      ${first}`,
    `          ${second}`,
    ...[0, 8, 16].map((at) => `${at === 0 ? 'In words ' : '         '} ${data.rootWords.slice(at, at + 8).join(' ')}`),
    'Compare event and head with the newest head card: they are the same, or this is not the newest copy of the vault.',
  ]
  return { data, text: text.join('\n') }
}

const nowSeconds = () => Math.floor(Date.now() / 1000)

function keys(vault: Vault): Answer {
  const listed = listedKeys(vault.state, nowSeconds())
  const list = listed.map(({ key, phase, state, holds, openCopies }) => ({
    tenant: key.tenant,
    kid: key.kid,
    label: key.label,
    spec: key.spec,
    phase,
    state,
    ...key.times,
    compromised: key.compromised,
    destroyed: key.destroyed,
    imported: key.imported && { ...key.imported, mark: NOT_ATTESTED },
    exported: key.exported,
    holds,
    openCopies: openCopies.map((copy) => copy.what),
  }))
  const rows = listed.map(({ key, phase, state, openCopies, remarks }) => [
    key.label,
    phase,
    key.destroyed && key.compromised ? 'destroyed, was compromised' : state,
    utcDay(key.times.signFrom),
    utcDay(key.times.signUntil),
    `${openCopies.length} open`,
    remarks.join('; ') || '-',
    key.kid,
  ])
  return {
    data: { keys: list },
    text: table([['KEY', 'PHASE', 'STATE', 'SIGNS FROM', 'UNTIL', 'COPIES', 'REMARKS', 'KEY ID'], ...rows]),
  }
}

function tenants(vault: Vault): Answer {
  const list = [...vault.state.tenants.values()].map((one) => ({
    tenant: one.tenant,
    name: one.name,
    issuer: one.issuer,
    policy: one.policy,
    relyingParties: one.relyingParties,
    reserved: one.reserved,
    offboarded: one.offboarded,
    signsUntil: one.offboarded
      ? null
      : (keysOf(vault.state, one.tenant, { usable: true }).at(-1)?.times.signUntil ?? null),
  }))
  const rows = list.map((one) => [
    one.tenant,
    one.name,
    one.issuer,
    one.offboarded ? 'offboarded' : one.signsUntil === null ? 'no key' : utcDay(one.signsUntil),
  ])
  return { data: { tenants: list }, text: table([['TENANT', 'NAME', 'ISSUER', 'KEYS UNTIL'], ...rows]) }
}
