import { userInfo } from 'node:os'
import { Command, Option } from 'commander'
import { asKeyriteError, must } from '../../shared/errors.ts'
import type { Reporter } from '../app/reporter.ts'
import { type OpenOptions, openRuntime, type Runtime } from '../issuer/runtime.ts'
import { type Answer, answering } from './output.ts'

/** Commands that work in a runtime's folder. */

export type Options = Record<string, unknown>

export const dirOption = () =>
  new Option('--dir <folder>', "the runtime's folder").env('ISSUER_DIR').makeOptionMandatory()
export const actorOption = () =>
  new Option('--actor <name>', 'who does this, for the receipt').default(userInfo().username, 'your login name')

/** A command that opens the runtime, works, and closes it. */
export function inRuntime(
  name: string,
  description: string,
  work: (runtime: Runtime, options: Options, args: string[], reporter: Reporter) => Promise<Answer> | Answer,
  opening: Pick<OpenOptions, 'awaiting'> = {},
): Command {
  return new Command(name)
    .description(description)
    .addOption(dirOption())
    .action(
      answering(async (args, options, reporter) => {
        const onSecondPlaceFailure = (error: unknown) =>
          reporter.say(`Note: the second place could not be written. ${asKeyriteError(error).message}`)
        const runtime = await openRuntime({ dir: text(options, 'dir'), onSecondPlaceFailure, ...opening })
        try {
          return await work(runtime, options, args, reporter)
        } finally {
          await runtime.close()
        }
      }),
    )
}

export const text = (options: Options, name: string): string => {
  const value = options[name]
  must(typeof value === 'string' && value !== '', 'usage-invalid', `--${name} is missing.`)
  return value
}
export const list = (options: Options, name: string): string[] =>
  Array.isArray(options[name]) ? options[name].map(String) : []
