import { dirname, resolve } from 'node:path'
import { isKeyriteError } from '../../../shared/errors.ts'
import { fromUtf8 } from '../../../shared/formats/bytes.ts'
import { MB } from '../../../shared/formats/json.ts'
import { parsePlan, type ReadPlan } from '../../../shared/formats/plan.ts'
import { checkingContext, looseSteps } from '../../app/plan/fit.ts'
import { type Problem, problemsOf } from '../../app/plan/problems.ts'
import type { Reporter } from '../../app/reporter.ts'
import { connect } from '../../app/wiring.ts'
import { precheck } from '../../ceremony/precheck.ts'
import { readFileGuarded } from '../../files/read.ts'
import { text as given } from '../open-vault.ts'
import type { Answer } from '../output.ts'
import { roomOf } from '../room.ts'
import { viewed } from '../view.ts'
import type { Options } from './run.ts'

/**
 * `ceremony lint PLAN`: the file's form, the order of its script and, given a vault, whether it can be carried out
 * there, without doing anything. Exit 0; 2 for the form; what the ceremony itself would answer (2, 5 …) for the vault.
 */
export async function lint([path = '']: string[], options: Options, reporter: Reporter): Promise<Answer> {
  const text = fromUtf8(readFileGuarded(path, 4 * MB))
  const problems = problemsOf(text)
  if (problems.length > 0) return refused(path, problems, 2)
  const read = parsePlan(text)
  const { kind } = read.plan
  const loose = looseSteps(kind).map((message) => ({ line: null, message }))
  if (loose.length > 0) return refused(path, loose, 2)
  if (kind === 'genesis') return fine(path, kind, 'It makes a new vault, so there is none to check it against.')
  if (options['vault'] === undefined)
    return fine(path, kind, 'Against a vault it was not checked: give one with --vault.')
  return againstVault(path, read, options, reporter)
}

async function againstVault(path: string, read: ReadPlan, options: Options, reporter: Reporter): Promise<Answer> {
  const { kind } = read.plan
  const vault = await viewed(options)
  try {
    const ports = connect({
      ...roomOf(options, reporter, null),
      media: given(options['media']) ?? dirname(resolve(path)),
    })
    return fine(path, kind, `It fits the vault: ${await precheck(checkingContext(ports, vault, read))}`)
  } catch (error) {
    if (!isKeyriteError(error) || ![2, 5].includes(error.exit)) throw error
    return refused(path, [{ line: null, message: `${error.message} (${error.code})` }], error.exit)
  } finally {
    vault.close()
  }
}

const fine = (path: string, kind: string, said: string): Answer => ({
  data: { plan: path, kind, problems: [], said },
  text: `${path} is a plan for ${kind}. ${said}`,
})

const refused = (path: string, problems: readonly Problem[], exit: number): Answer => ({
  data: { plan: path, problems },
  text: problems.map(({ line, message }) => `${path}${line === null ? '' : `:${line}`}: ${message}`).join('\n'),
  exit,
})
