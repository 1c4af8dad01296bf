import { Command } from 'commander'
import { count } from '../../shared/domain/plural.ts'
import { type Checked, checkConfig } from '../issuer/check-config.ts'
import { openRuntime } from '../issuer/runtime.ts'
import { systemClock } from '../issuer/service.ts'
import { table } from './format.ts'
import { dirOption, text } from './in-runtime.ts'
import { type Answer, answering } from './output.ts'

/** `issuer check-config --dir D`: every setting with the place it came from, and all that is wrong. Exit 2 for an error. */
export const checkConfigCommand = (): Command =>
  new Command('check-config')
    .description('every setting and where it came from; all that is wrong, at once')
    .addOption(dirOption())
    .action(answering(async (_args, options) => answerOf(await check(text(options, 'dir')))))

const check = (dir: string): Promise<Checked> =>
  checkConfig({
    dir,
    env: process.env,
    now: systemClock.now,
    open: async (at) => await (await openRuntime({ dir: at })).close(),
  })

function answerOf(checked: Checked): Answer {
  const { settings, findings } = checked
  const errors = findings.filter(({ kind }) => kind === 'error')
  const rows = settings.map(({ name, value, from, variable }) => [
    name,
    JSON.stringify(value),
    sourceOf(from, variable),
  ])
  const list = findings.map(({ kind, about, message }) => [kind, about, message])
  const lines = [
    ...(rows.length > 0 ? [table([['SETTING', 'VALUE', 'FROM'], ...rows]), ''] : []),
    ...(list.length > 0 ? [table(list), ''] : []),
    errors.length > 0 ? `${count(errors.length, 'error')}.` : 'Ready to serve.',
  ]
  return { data: checked, text: lines.join('\n'), ...(errors.length > 0 && { exit: 2 }) }
}

const sourceOf = (from: string, variable: string | null): string =>
  ({ environment: variable ?? '', file: 'issuer.json', credential: 'systemd credential' })[from] ?? from
