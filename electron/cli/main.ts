import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { KeyriteError } from '../../shared/errors.ts'
import { bundleCommands } from './bundle.ts'
import { ceremonyCommands } from './ceremony.ts'
import { completionCommand, refuseUnknown } from './command-tree.ts'
import { evidenceCommands } from './evidence.ts'
import { issuerCommands } from './issuer.ts'
import { printError } from './output.ts'
import { rehearseCommand } from './rehearse.ts'
import { serveCommand } from './serve.ts'
import { trustCommands } from './trust.ts'
import { vaultCommands } from './vault.ts'
import { verifyCommand } from './verify.ts'

/** keyrite: what the desktop does, for people at a terminal, for scripts and for tests. */

const program = new Command('keyrite')
  .description('Offline key ceremonies for multi-tenant token issuers')
  .option('--json', 'one JSON object on stdout')
  .option('--quiet', 'on stderr errors only')
  .option('--no-color', 'no colours')
  .option('--no-input', 'never ask; fail with what would have been asked')
  .version(packageJson.version)
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })

const issuer = issuerCommands()
issuer.addCommand(serveCommand())
for (const command of [
  ...vaultCommands(),
  ceremonyCommands(),
  bundleCommands(),
  issuer,
  evidenceCommands(),
  verifyCommand(),
  trustCommands(),
  rehearseCommand(),
  completionCommand(program),
])
  program.addCommand(command)

/** With --json a usage error is a JSON object like every other; commander's own words would come first. */
const json = process.argv.includes('--json')

/** Sub-commands made apart do not inherit it: usage errors end with 2 everywhere. */
function overrideExit(command: Command): void {
  command.exitOverride()
  if (json) command.configureOutput({ writeErr: () => {} })
  for (const child of command.commands) overrideExit(child)
}
overrideExit(program)

try {
  refuseUnknown(program, process.argv.slice(2))
  // Electron would be told apart by commander, and its arguments counted otherwise.
  await program.parseAsync(process.argv, { from: 'node' })
} catch (error) {
  if (error instanceof KeyriteError) process.exitCode = printError(error, json)
  else if (!(error instanceof CommanderError)) throw error
  else {
    const usage = new KeyriteError('usage-invalid', error.message.replace(/^error: /, ''))
    process.exitCode = error.exitCode === 0 ? 0 : json ? printError(usage, json) : usage.exit
  }
}
