import { existsSync } from 'node:fs'
import { CEREMONY_KINDS, type CeremonyKind } from '../../../shared/domain/events.ts'
import { KeyriteError, must } from '../../../shared/errors.ts'
import { parsePlan } from '../../../shared/formats/plan.ts'
import { listed } from '../../../shared/pages/words.ts'
import { problemsOf } from '../../app/plan/problems.ts'
import { writeNewFile } from '../../files/write.ts'
import { text } from '../open-vault.ts'
import type { Answer } from '../output.ts'
import { type Asking, askAll, spellQuestions } from '../plan-questions/answers.ts'
import { QUESTIONS } from '../plan-questions/kinds.ts'
import { showPlan } from '../terminal/plan.ts'
import type { Prompter } from '../terminal/prompter.ts'
import { terminalFor } from '../terminal/room.ts'
import { viewed } from '../view.ts'
import type { Options } from './run.ts'

/** `ceremony plan KIND`: builds a plan file by asking. */
export async function plan([given = '']: string[], options: Options): Promise<Answer> {
  const kind = kindOf(given)
  const out = text(options['out']) ?? `${kind}.json`
  must(!existsSync(out), 'file-exists', `There is something at ${out} already.`)
  const asked = spellQuestions(QUESTIONS[kind])
  const ask = terminalFor(options, asked.length > 0 ? `a plan: ${asked.join(' ')}` : 'whether to write the plan')
  const content = await built(ask, kind, await knownFrom(options))
  showPlan(ask, parsePlan(content))
  const write = await ask.yes(`Write it to ${out}?`, { yes: 'Write it', no: 'Leave it', initial: true })
  if (!write) throw new KeyriteError('interrupted', 'The plan was not written.', { hint: 'Build another one.' })
  writeNewFile(out, content)
  const read = parsePlan(content)
  const next = `Check it with "ceremony lint ${out}", print it with "ceremony print ${out}", practise with "ceremony rehearse ${out}".`
  return { data: { plan: out, kind, planDigest: read.digest }, text: `${out} is written.\n${next}` }
}

function kindOf(given: string): CeremonyKind {
  const kind = CEREMONY_KINDS.find((one) => one === given)
  must(kind, 'usage-invalid', `There is no ceremony of the kind ${given}. Kinds are ${listed(CEREMONY_KINDS)}.`)
  return kind
}

/** What a plan can choose from; a vault is opened only to look. */
async function knownFrom(options: Options): Promise<Asking['vault']> {
  if (options['vault'] === undefined) return null
  const vault = await viewed(options)
  vault.close()
  return { state: vault.state, roster: vault.roster }
}

/** Asks until what was answered is a plan. */
export async function built(ask: Prompter, kind: CeremonyKind, vault: Asking['vault']): Promise<string> {
  for (;;) {
    const members = await askAll(QUESTIONS[kind], { ask, vault })
    const content = `${JSON.stringify({ kind, ...members }, null, 2)}\n`
    const problems = problemsOf(content)
    if (problems.length === 0) return content
    ask.say(
      ['', 'That is not a plan yet:', ...problems.map(({ message }) => `  ${message}`), '', 'Once more.'].join('\n'),
    )
  }
}
