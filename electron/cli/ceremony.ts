import { Command } from 'commander'
import { lint } from './ceremony/lint.ts'
import { list, show } from './ceremony/look.ts'
import { plan } from './ceremony/plan.ts'
import { print } from './ceremony/print.ts'
import { practise } from './ceremony/rehearse.ts'
import { abort, resume, run } from './ceremony/run.ts'
import { answering } from './output.ts'

/** `keyrite ceremony …`: a plan from its first question to its record. */

const VAULT = ['--vault <folder>', 'the vault'] as const
const PASSPHRASES = [
  '--passphrases <folder>',
  'one file per person, named by the id; without it people are asked at the terminal',
] as const
const ACCEPT_TAIL = ['--accept-tail', 'accept the events after the newest checkpoint'] as const

const repeat = (value: string, before: string[] = []): string[] => [...before, value]

const withVault = (command: Command): Command => command.requiredOption(...VAULT).option(...PASSPHRASES)
const withVaultToChoose = (command: Command): Command => command.option(...VAULT).option(...PASSPHRASES)

const withRoom = (command: Command): Command =>
  withVault(command)
    .option('--media <folder>', "the medium that files are carried on (default: the plan's folder)")
    .option('--records <folder>', 'where record folders go (default: "records" beside the vault)')
    .option('--confirm <words...>', 'the exact words that confirm a destruction')
    .option(
      '--head-card <file>',
      'the newest head card (head-card.keyrite of the last record), compared with the vault',
    )
    .option('--shares <folder>', 'where share files of custodians lie (repeat for more; default: the medium)', repeat)
    .option('--secrets <folder>', 'secrets that a step asks for, one file each, mode 0600')
    .option('--dice <rolls>', 'rolls of dice, digits from 1 to 6, where the plan asks for them')

export function ceremonyCommands(): Command {
  const ceremony = new Command('ceremony').description('plan, rehearse, run and close ceremonies')
  preparing(ceremony)
  withRoom(ceremony.command('run <plan>').description('carry out a plan'))
    .option(...ACCEPT_TAIL)
    .action(answering(run))
  withRoom(ceremony.command('resume').description('go on with an interrupted ceremony'))
    .option(...ACCEPT_TAIL)
    .option('--alone <person>', 'go on with what this person began alone: a change of passphrase')
    .action(answering(resume))
  withVault(ceremony.command('abort').description('close an interrupted ceremony'))
    .requiredOption('--reason <words>', 'why')
    .option('--shares <folder>', 'where share files of custodians lie (repeat for more)', repeat)
    .option(...ACCEPT_TAIL)
    .action(answering(abort))
  withVault(
    ceremony.command('show <id>').description('one ceremony; with --records its record folder is written again'),
  )
    .option('--records <folder>', 'where to write its record folder')
    .action(answering(show))
  withVault(ceremony.command('list').description('the ceremonies of a vault')).action(answering(list))
  return ceremony
}

/** What is done at a desk, before people are called together. */
function preparing(ceremony: Command): void {
  withVaultToChoose(ceremony.command('plan <kind>').description('build a plan file by answering questions'))
    .option('--out <file>', 'the plan file (default: the kind, with .json)')
    .action(answering(plan))
  withVaultToChoose(ceremony.command('lint <plan>').description('check a plan, by itself or against a vault'))
    .option('--media <folder>', "the medium that files are carried on (default: the plan's folder)")
    .action(answering(lint))
  ceremony
    .command('print <plan>')
    .description('the script for the room: every step with boxes for initials')
    .option('--html <file>', 'a page to print on A4 or Letter instead of text')
    .action(answering(print))
  withVaultToChoose(ceremony.command('rehearse <plan>').description('practise a plan in a throw-away vault')).action(
    answering(practise),
  )
}
