import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SETTINGS } from '../../electron/issuer/settings.ts'

/** Writes docs/operations/configuration.md from the table of settings: `node test/operations/configuration.ts`. */

export const CONFIGURATION_FILE = join(import.meta.dirname, '../../docs/operations/configuration.md')

const START = `# Configuration of an issuer runtime

This page is made from the program: change \`electron/issuer/settings.ts\`, then run \`node test/operations/configuration.ts\`. A test fails while the two differ.

The file is \`issuer.json\` in the runtime's folder. \`keyrite issuer init\` writes it. An unknown member is an error. The members \`format\`, \`runtimeId\`, \`environment\`, \`practice\`, \`storageKeyId\`, \`vaultId\`, \`rootKid\` and \`trustAnchor\` say who the runtime is: nobody changes them by hand. The settings below may be changed; a process that is serving takes them when it is started again.

What counts, first to last: an option of the command, the variable, the file, a credential of systemd (for the two secrets), the default. A variable that is set and empty is an error, except ISSUER_TRUST_PROXY, where it means nobody.

Secrets never stand in the file, in a variable or on the command line: settings name files that hold them.

\`keyrite issuer check-config --dir DIR\` shows every setting with the place it came from, and all that is wrong at once. It refuses a variable ISSUER_… that is not on this page.
`

const END = `## Variables that are no setting

| variable | meaning |
| --- | --- |
| \`ISSUER_DIR\` | the folder of the runtime, instead of \`--dir\` |
| \`CREDENTIALS_DIRECTORY\` | set by systemd: the folder with the credentials \`storage-key\` and \`store-password\` |
`

/** The whole page. */
export function configurationPage(): string {
  const parts = Object.entries(SETTINGS).map(([name, { variable, takes, meaning, fallback }]) =>
    [
      `## \`${name}\``,
      '',
      meaning,
      '',
      `- Takes: ${takes}`,
      `- Default: \`${JSON.stringify(fallback)}\``,
      `- Variable: ${variable ? `\`${variable}\`` : 'none'}`,
      '',
    ].join('\n'),
  )
  return [START, ...parts, END].join('\n')
}

if (import.meta.main) writeFileSync(CONFIGURATION_FILE, configurationPage())
