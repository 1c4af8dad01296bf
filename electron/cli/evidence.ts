import { resolve } from 'node:path'
import { Command } from 'commander'
import { utcDay, utcTime } from '../../shared/domain/utc.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
import { type KeyLife, lifeOf } from '../../shared/formats/key-life.ts'
import { renderKeyLife } from '../../shared/pages/key-life-page.ts'
import { writeNewFile } from '../files/write.ts'
import { table } from './format.ts'
import { wholeKid } from './kid.ts'
import { text } from './open-vault.ts'
import { type Answer, answering } from './output.ts'
import { withView } from './view.ts'

/** `evidence key`: one key's life, from its birth to the last copy of it. */

type Options = Record<string, unknown>

export function evidenceCommands(): Command {
  const evidence = new Command('evidence').description('what an auditor asks for')
  evidence
    .command('key <kid>')
    .description("one key's life: birth, handoffs, receipts, end, and every copy open or closed")
    .requiredOption('--vault <folder>', 'the vault')
    .option('--passphrases <folder>', 'one file per person, named by the id (default: ask one person)')
    .option('--out <file>', 'write it as a page too')
    .action(answering(key))
  return evidence
}

async function key([kid = '']: string[], options: Options): Promise<Answer> {
  return withView(options, (vault) => {
    const now = Math.floor(Date.now() / 1000)
    const life = lifeOf(vault.state, wholeKid(kid, vault.state.keys.keys()), now)
    const out = text(options['out'])
    if (out !== undefined) writeNewFile(resolve(out), renderKeyLife(life, now))
    const written = out === undefined ? '' : `\nWritten as a page: ${resolve(out)}`
    return { data: { ...life, openCopies: openOf(life) }, text: `${spell(life)}${written}` }
  })
}

const openOf = ({ copies }: KeyLife): number => copies.filter((copy) => copy.status === 'open').length

function spell(life: KeyLife): string {
  const { label, kid, spec, tenantName, issuer, state, times, moments, copies, certificate, hold, birth } = life
  const rows = copies.map(({ id, status, holder, evidence }) => [
    status === 'open' ? 'OPEN' : status,
    id,
    holder,
    evidence,
  ])
  return [
    `${label}, ${spec}, ${state}`,
    `Key id   ${kid}`,
    `Tenant   ${tenantName}, ${issuer}`,
    `Signs    ${utcDay(times.signFrom)} to ${utcDay(times.signUntil)}; published ${utcDay(times.announceAt)} to ${utcDay(times.removeAt)}`,
    ...(birth
      ? [
          `Born     key ${birth.proof.index + 1} of ${birth.proof.size} in ${birth.ceremony}, under the digest read aloud there:`,
          `         ${hexGroups(birth.merkleRoot).join(' ')}`,
        ]
      : []),
    ...(hold ? [`Hold     ${hold}: nobody destroys this key`] : []),
    ...(certificate ? [`Certificate ${certificate.id}, ${certificate.grade}`] : []),
    '',
    ...moments.map(({ at, what, evidence }) => `${utcTime(at)}  ${what}. ${evidence}`),
    '',
    `${openOf(life)} of ${copies.length} known copies are open:`,
    table([['STATE', 'COPY', 'HOLDER', 'EVIDENCE'], ...rows]),
  ].join('\n')
}
