import { parseHead } from '../../app/desk-rules.ts'
import type { ShownCard } from '../../ceremony/ports.ts'
import { paragraph } from './layout.ts'
import type { Prompter } from './prompter.ts'

const WHY =
  'The newest head card tells whether this is the newest copy of the vault. Type what stands on the card; the screen does not show it. Four groups find an old or foreign copy; given as a file (--head-card FILE) the whole card is compared, which is stronger.'

/**
 * Asks for the newest head card: the number of its event and the first four groups of its head. What differs from this
 * vault may be a slip, so it is asked for once more; what it means is for the engine to say. Null where nobody has one.
 */
export async function askHeadCard(ask: Prompter, kept: ShownCard | null): Promise<ShownCard | null> {
  ask.say(`\nThe head card\n\n${paragraph(WHY)}\n`)
  if (!(await ask.yes('Does anybody have the newest head card at hand?', { no: 'No; the record will say so' })))
    return null
  const first = await typeCard(ask)
  if (!kept || same(first, kept)) return first
  ask.say(
    paragraph('That is not what this vault ends with. If it was a slip of the finger, type it again as it stands.'),
  )
  return typeCard(ask)
}

const same = (typed: ShownCard, kept: ShownCard): boolean => typed.seq === kept.seq && kept.head.startsWith(typed.head)

async function typeCard(ask: Prompter): Promise<ShownCard> {
  const number = (typed: string) => (/^\d{1,12}$/.test(typed) ? undefined : 'A whole number, as on the card.')
  const groups = (typed: string) =>
    parseHead(typed) === null ? 'At least the first four groups of four, like 0A1B 2C3D 4E5F 6071.' : undefined
  const seq = Number(await ask.line('Event, as on the card', { check: number }))
  const head = parseHead(await ask.line('Head: its first four groups', { check: groups })) ?? ''
  return { seq, head }
}
