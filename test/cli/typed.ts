import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { digestSchema } from '../../shared/formats/common.ts'
import type { Night } from './night.ts'
import { answerOf, keyrite } from './run.ts'

/** Guides typed out: their commands, run at a runtime of a test, and what they say. */

/** The keys that sign, by tenant. */
export async function signingIn({ dir }: Night): Promise<Record<string, string[]>> {
  const ran = answerOf(await keyrite(['issuer', 'status', '--dir', dir, '--json']))
  const { tenants } = ran.data as { tenants: { tenant: string; signingKids: string[] }[] }
  return Object.fromEntries(tenants.map(({ tenant, signingKids }) => [tenant, signingKids]))
}

/** What differs from run to run: ids, times, counts of milliseconds, digests in file names. */
export const fixed = (text: string): string =>
  text
    .replace(/\d{8}T\d{6}Z/g, '<STAMP>')
    .replace(/\b\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC\b/g, '<TIME>')
    .replace(/(?<![\w-])[\w-]{43}(?![\w-])/g, (id) => (digestSchema.safeParse(id).success ? '<ID>' : id))
    .replace(/\b([Rr]eceipts?) \d+( to \d+)?/g, '$1 <N>')
    .replace(/(receipts)-[0-9a-f]{8}-/g, '$1-<HASH>-')
    .trimEnd()

/** Every `console` block of a guide: commands after "$ ", each with what it says. */
export function blocksOf(guide: string): { command: string; said: string }[][] {
  const text = readFileSync(join(import.meta.dirname, '../../docs/guides', guide), 'utf8')
  return [...text.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((one) => {
        const [command = '', ...said] = one.split('\n')
        return { command, said: said.join('\n') }
      }),
  )
}

/** Types a command of a guide at this runtime. `KEY-ID` is the key that signs for the tenant; `…` stands for the rest of a name. */
export async function type(at: Night, command: string): Promise<string> {
  const tenant = /--tenant (\S+)/.exec(command)?.[1] ?? ''
  const kid = command.includes('KEY-ID') ? ((await signingIn(at))[tenant]?.[0] ?? '') : ''
  const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word = '']) => quoted ?? word)
  const args = words.slice(1).map((word) => whole(at, word.replace('KEY-ID', kid).replace(DIR, at.dir)))
  const { stdout, stderr } = await keyrite(args)
  return (stdout + stderr).replaceAll(at.dir, DIR).replaceAll(at.stick, STICK)
}

const DIR = '/var/lib/keyrite'
const STICK = '/media/stick'

function whole(at: Night, word: string): string {
  const path = word.replace(STICK, at.stick)
  const [begin, end] = path.split('…')
  if (begin === undefined || end === undefined) return path
  const name = readdirSync(at.stick).find((one) => join(at.stick, one).startsWith(begin) && one.endsWith(end))
  return join(at.stick, name ?? 'nothing')
}
