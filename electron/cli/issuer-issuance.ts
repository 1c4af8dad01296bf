import { Command } from 'commander'
import { count } from '../../shared/domain/plural.ts'
import { utcTime } from '../../shared/domain/utc.ts'
import { readEnrollment } from '../handoff/statements.ts'
import { type VerifiedIssuance, verifyIssuance } from '../issuer/issuance-verify.ts'
import type { Runtime } from '../issuer/runtime.ts'
import { actorOption, inRuntime, type Options, text } from './in-runtime.ts'
import { instantOf } from './issuer-emergency.ts'
import { type Answer, answering } from './output.ts'

/** `issuer issuance …`: the log of issued tokens, for auditors. */

export function issuanceCommands(): Command {
  const issuance = new Command('issuance').description('the log of issued tokens, for auditors')
  issuance.addCommand(
    inRuntime('export', "write a tenant's log, and state its head in a receipt", exportLog)
      .requiredOption('--tenant <id>', 'whose log')
      .requiredOption('--out <folder>', 'where the file goes')
      .option('--from <utc>', 'from this time on, like 2026-06-09 or 2026-06-09T14:19:02Z')
      .option('--until <utc>', 'before this time'),
  )
  issuance.addCommand(
    new Command('verify')
      .description('check a log that was exported, without a runtime')
      .argument('<file>', 'the log')
      .option('--receipts <file>', 'receipts of the same runtime, to compare with')
      .option('--enrollment <file>', 'the enrollment of the runtime, which names its receipt key')
      .action(answering(verify)),
  )
  issuance.addCommand(
    inRuntime('prune', 'delete rows that are anchored and older; what stays can still be verified', prune)
      .requiredOption('--before <utc>', 'tokens issued before this time')
      .addOption(actorOption()),
  )
  return issuance
}

async function exportLog(runtime: Runtime, options: Options): Promise<Answer> {
  const at = (name: string) => (options[name] === undefined ? null : instantOf(options, name, runtime.now()))
  const of = { tenant: text(options, 'tenant'), folder: text(options, 'out'), from: at('from'), until: at('until') }
  const result = await runtime.issuance.export(of)
  const lines = [
    `Rows ${result.first} to ${result.last} with ${count(result.tokens, 'token')} written to ${result.path}.`,
    `Receipt ${result.receipt} states the head: ${result.head}`,
    'Bring the receipts to the vault: from then on nobody can change these rows without its being seen.',
  ]
  return { data: result, text: lines.join('\n') }
}

async function verify([file = '']: string[], options: Options): Promise<Answer> {
  const enrollment = options['enrollment'] === undefined ? null : await readEnrollment(text(options, 'enrollment'))
  const verified = await verifyIssuance(file, {
    ...(options['receipts'] !== undefined && { receipts: text(options, 'receipts') }),
    ...(enrollment && { expectedKey: enrollment.receiptSigner.kid }),
  })
  const lines = verifiedText(verified, enrollment !== null)
  return { data: verified, text: lines.join('\n'), exit: verified.findings.length === 0 ? 0 : 3 }
}

function verifiedText(log: VerifiedIssuance, enrolled: boolean): string[] {
  const { first, last, rows, tokens, anchors, findings } = log
  return [
    `Issuance log of ${log.tenant} (${log.issuer}) at the runtime ${log.runtimeId}${log.practice ? ', practice' : ''}`,
    `  ${count(rows, 'row')}, ${first} to ${last}, with ${count(tokens, 'token')}, ${utcTime(log.begin)} to ${utcTime(log.end)}`,
    `  Head ${log.head}`,
    `  stated in receipt ${log.receipt.seq} of ${utcTime(log.receipt.at)}, signed by ${log.receiptKey}`,
    ...(enrolled ? [] : ['  Whether that is the key of this runtime, its enrollment says: --enrollment FILE.']),
    anchors === null
      ? '  Not compared with other receipts: --receipts FILE.'
      : `  ${count(anchors.matched, 'receipt')} about rows within; ${anchors.beyond} about rows that are not in this file.`,
    ...(first > 1 ? [`  Rows 1 to ${first - 1} are not here: pruned, or not asked for.`] : []),
    '',
    ...findings.map((finding) => `NOT RIGHT: ${finding}`),
    ...(findings.length > 0 ? ['Do not rely on this log.'] : PROVES),
  ]
}

const PROVES = [
  'Every row follows the one before it, and the runtime signed the last one.',
  'That shows: since a receipt about a row left the runtime, no row up to it was changed, taken out or put in.',
  'It does not show that every token stands here: a host in wrong hands can leave tokens out from the beginning.',
]

async function prune(runtime: Runtime, options: Options): Promise<Answer> {
  const before = instantOf(options, 'before', runtime.now())
  const result = await runtime.issuance.prune(before, text(options, 'actor'))
  const said =
    result.rows === 0
      ? 'Nothing was pruned: no anchored row is as old as that.'
      : `Pruned ${count(result.rows, 'row')} with ${count(result.tokens, 'token')} of ${count(result.tenants, 'tenant')}.`
  return { data: result, text: said }
}
