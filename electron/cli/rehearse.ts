import { Command } from 'commander'
import { must } from '../../shared/errors.ts'
import { answering } from './output.ts'

const MAX_TENANTS = 2000

export function rehearseCommand(): Command {
  return new Command('rehearse')
    .description('the whole life in one go, in practice mode, in a fresh folder')
    .requiredOption('--out <folder>', 'a folder that does not exist yet')
    .option('--tenants <number>', 'how many tenants', '3')
    .option('--issuer-port <port>', 'where the issuer listens on 127.0.0.1', '47770')
    .action(
      answering(async (_, options, reporter) => {
        const tenants = whole(options['tenants'], 'tenants', 1, MAX_TENANTS)
        const port = whole(options['issuerPort'], 'issuer-port', 1024, 65_535)
        const out = String(options['out'])
        // Loaded only here: other commands start faster without the server and its verifiers.
        const { rehearse } = await import('./rehearsal/story.ts')
        const summary = await rehearse({ out, tenants, port, reporter })
        const told = [
          '',
          `Everything was done in ${summary.seconds} s and left in ${out}:`,
          '  vault/  passphrases/  handoff/  issuer/  records/  evidence/  summary.json',
          `Read ${out}/evidence/evidence.html, and serve the same runtime again with:`,
          `  npm run -s keyrite -- issuer serve --dir ${out}/issuer`,
        ]
        return { data: summary, text: told.join('\n') }
      }),
    )
}

function whole(value: unknown, name: string, least: number, most: number): number {
  const number = /^\d{1,6}$/.test(String(value)) ? Number(value) : Number.NaN
  must(number >= least && number <= most, 'usage-invalid', `--${name} takes a whole number from ${least} to ${most}.`)
  return number
}
