import { Command } from 'commander'
import { must } from '../../shared/errors.ts'
import type { Standing } from '../evidence/findings.ts'
import { type FileReport, type Report, verifyFiles } from '../evidence/verify.ts'
import { type Answer, answering } from './output.ts'

/** `keyrite verify FILE… --trust-anchor FILE`: 0 when everything holds, 3 when anything fails or no anchor is given. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('check records, certificates, bundles, receipts and evidence from the trust anchor alone')
    .argument('<file...>', 'files and folders')
    .option('--trust-anchor <file>', 'the pinned trust anchor; without it nothing is verified')
    .action(answering(verify))
}

async function verify(paths: string[], options: Record<string, unknown>): Promise<Answer> {
  const anchor = options['trustAnchor']
  const report = await verifyFiles(paths, typeof anchor === 'string' ? anchor : null)
  must(report.files.length > 0, 'usage-invalid', 'There is no file in what was given.')
  const ok = report.anchored && report.files.every((file) => file.ok)
  return { data: report, text: told(report), exit: ok ? 0 : 3 }
}

/** Without an anchor a file that does not stand by itself is not judged: it may be perfectly good. */
const markOf = (standing: Standing, anchored: boolean): string =>
  ({ verified: '✓ verified', consistent: '~ consistent', failed: anchored ? '✗ FAILED' : '✗ unverified' })[standing]

/** Up to this many files, what was proved stands below each; --json always has it. */
const FEW = 12

function told({ anchored, files }: Report): string {
  const count = (standing: Standing) => files.filter((file) => file.standing === standing).length
  const lines = [
    ...(anchored ? [] : ['No trust anchor was given, so nothing can be verified. Give it with --trust-anchor.', '']),
    ...files.flatMap((file) => linesOf(file, anchored, files.length <= FEW)),
    '',
    `${files.length} ${files.length === 1 ? 'file' : 'files'}: ${count('verified')} verified, ${count('consistent')} consistent in themselves, ${count('failed')} ${anchored ? 'failed' : 'not verified'}.`,
  ]
  return lines.map(plain).join('\n')
}

const linesOf = (
  { file, kind, standing, facts, remarks, problems }: FileReport,
  anchored: boolean,
  all: boolean,
): string[] => [
  `${markOf(standing, anchored).padEnd(12)}  ${kind.padEnd(12)}  ${file}`,
  ...[...problems, ...remarks, ...(all ? facts : [])].map((text) => `              ${text}`),
]

/** Names and texts come from files: nothing of them may steer the terminal or turn its writing direction. */
const plain = (line: string): string => line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�')
