import { utcTime } from '../../../shared/domain/utc.ts'
import { must } from '../../../shared/errors.ts'
import type { Reporter } from '../../app/reporter.ts'
import { connect } from '../../app/wiring.ts'
import { writtenOf } from '../../ceremony/record.ts'
import { text } from '../open-vault.ts'
import type { Answer } from '../output.ts'
import { roomOf } from '../room.ts'
import { withView } from '../view.ts'
import type { Options } from './run.ts'

/** `ceremony list` and `ceremony show`: what was held in a vault, with any one person's passphrase. */

export const show = ([id = '']: string[], options: Options, reporter: Reporter): Promise<Answer> =>
  withView(options, async (vault) => {
    const known = vault.state.ceremonies.get(id)
    must(known, 'ceremony-unknown', `The vault has no ceremony ${id}.`)
    const folder = text(options['records'])
    const recordFolder = folder
      ? await connect(roomOf(options, reporter, null)).writeRecord(writtenOf(vault, id))
      : null
    const { kind, startedAt, present, done, deviations, ended } = known
    const data = { ceremony: id, kind, startedAt, present, steps: done, deviations, ended, recordFolder }
    const steps = done.map((step) => `  ${utcTime(step.at)}  ${step.step}: ${step.observed}`)
    const deviated = deviations.map(
      (one) => `  ${utcTime(one.at)}  Deviation: ${one.expected} / ${one.happened} / ${one.action}`,
    )
    const state = ended
      ? `${ended.how} ${utcTime(ended.at)}${ended.reason ? `: ${ended.reason}` : ''}`
      : 'not closed yet'
    const lines = [
      `${id}, ${kind}, ${state}`,
      `Present: ${present.join(', ')}`,
      ...steps,
      ...deviated,
      ...(recordFolder ? [`Record: ${recordFolder}`] : []),
    ]
    return { data, text: lines.join('\n') }
  })

export const list = (_: string[], options: Options): Promise<Answer> =>
  withView(options, (vault) => {
    const ceremonies = [...vault.state.ceremonies.values()].map(({ id, kind, startedAt, ended, present, done }) => ({
      ceremony: id,
      kind,
      startedAt,
      endedAt: ended?.at ?? null,
      outcome: ended?.how ?? 'open',
      record: ended?.record ?? null,
      present,
      steps: done.length,
    }))
    const lines = ceremonies.map(
      (one) => `${one.ceremony.padEnd(12)} ${one.kind.padEnd(15)} ${utcTime(one.startedAt)}  ${one.outcome}`,
    )
    return { data: { ceremonies }, text: lines.join('\n') }
  })
