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

const MARKS: Record<Standing, string> = { verified: '✓ verified', consistent: '~ consistent', failed: '✗ FAILED' }

/** Up to this many files, what was proved stands below each; --json always has it. */
const FEW = 12

function told({ anchored, files }: Report): string {
  const count = (standing: Standing) => files.filter((file) => file.standing === standing).length
  const lines = [
    ...files.flatMap((file) => linesOf(file, files.length <= FEW)),
    '',
    `${files.length} ${files.length === 1 ? 'file' : 'files'}: ${count('verified')} verified, ${count('consistent')} consistent in themselves, ${count('failed')} failed.`,
  ]
  if (!anchored) lines.push('No trust anchor was given, so nothing is verified. Give it with --trust-anchor.')
  return lines.map(plain).join('\n')
}

const linesOf = ({ file, kind, standing, facts, problems }: FileReport, all: boolean): string[] => [
  `${MARKS[standing].padEnd(12)}  ${kind.padEnd(12)}  ${file}`,
  ...[...problems, ...(all ? facts : [])].map((text) => `              ${text}`),
]

/** Names and texts come from files: nothing of them may steer the terminal or turn its writing direction. */
const plain = (line: string): string => line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�')
