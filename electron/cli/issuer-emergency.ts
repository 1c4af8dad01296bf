import { join } from 'node:path'
import { Command } from 'commander'
import { count } from '../../shared/domain/plural.ts'
import { utcStamp, utcTime } from '../../shared/domain/utc.ts'
import { must } from '../../shared/errors.ts'
import { parseUtc } from '../app/desk-rules.ts'
import type { Reporter } from '../app/reporter.ts'
import { makeFolder, writeNewFile } from '../files/write.ts'
import type { Drill } from '../issuer/drill.ts'
import { openRuntime, type Runtime } from '../issuer/runtime.ts'
import type { Tainted, TaintedRuntime, TaintedTenant } from '../issuer/taint.ts'
import { actorOption, dirOption, inRuntime, type Options, text } from './in-runtime.ts'
import { wholeKid } from './kid.ts'
import { type Answer, answering } from './output.ts'

/** `issuer taint`, `reject-tokens` and `drill`: an emergency at the runtime, and its rehearsal. */

export const emergencyCommands = (): Command[] => [
  taintCommand(),
  inRuntime('reject-tokens', 'have introspection call tokens from before a time inactive; it never goes back', reject)
    .requiredOption('--tenant <id>', 'whose tokens')
    .requiredOption('--before <utc>', 'issued before this: "now", or like 2026-06-09T14:19:02Z')
    .addOption(actorOption()),
  inRuntime('drill', 'on a copy: what an emergency does to one tenant, and not to the others', drill)
    .requiredOption('--tenant <id>', 'whose keys are tainted and withdrawn on the copy')
    .option('--out <folder>', 'also write the report there'),
]

const taintCommand = (): Command =>
  new Command('taint')
    .description('never sign with a key again; there is no way back')
    .addOption(dirOption())
    .option('--tenant <id>', 'whose key')
    .option('--kid <kid>', 'which key')
    .option('--all', 'every key of that tenant')
    .option('--runtime', 'every key of every tenant; asks for --confirm')
    .option('--withdraw', 'also stop publishing it now')
    .option('--confirm <words>', 'with --runtime: exactly TAINT and the id of the runtime')
    .addOption(actorOption())
    .action(
      answering(async (_args, options, reporter) => {
        const scope = scopeOf(options)
        const runtime = await openRuntime({ dir: text(options, 'dir') })
        try {
          return await taintAnswer(runtime, scope, options, reporter)
        } finally {
          await runtime.close()
        }
      }),
    )

type Scope = { tenant: string; kid: string } | { tenant: string } | 'runtime'

/** Exactly one of the three. Code `usage-invalid`. */
function scopeOf({ tenant, kid, all, runtime }: Options): Scope {
  const given = [kid !== undefined, all === true, runtime === true].filter(Boolean).length
  const fits = given === 1 && (runtime === true) === (tenant === undefined)
  must(fits, 'usage-invalid', 'Say what to taint: --tenant T --kid KID, --tenant T --all, or --runtime.')
  if (runtime === true) return 'runtime'
  return all === true ? { tenant: String(tenant) } : { tenant: String(tenant), kid: String(kid) }
}

async function taintAnswer(runtime: Runtime, scope: Scope, options: Options, reporter: Reporter): Promise<Answer> {
  const how = { withdraw: options['withdraw'] === true, actor: text(options, 'actor') }
  if (scope === 'runtime') {
    mustConfirm(runtime.config.runtimeId, options['confirm'])
    const done = await runtime.taintRuntime(how, (at, total) => reporter.progress('tenants', at, total))
    return everything(done, how.withdraw)
  }
  if (!('kid' in scope)) return ofTenant(await runtime.taintTenant(scope.tenant, how), how.withdraw)
  const known = scope.kid.length < 43 ? (await runtime.status()).tenants : []
  const kids = known.flatMap(({ tenant, phases }) => (tenant === scope.tenant ? phases.map((key) => key.kid) : []))
  return ofKey(await runtime.taint(scope.tenant, wholeKid(scope.kid, kids), how))
}

function mustConfirm(runtimeId: string, confirm: unknown): void {
  const words = `TAINT ${runtimeId}`
  must(confirm === words, 'confirmation-missing', 'This ends every key of every tenant here, those to come included.', {
    hint: `To go on, repeat with --confirm "${words}".`,
  })
}

function ofKey(result: Tainted): Answer {
  const lines = [
    result.changed ? `Key ${result.kid} of ${result.tenant} never signs again.` : 'This was done before.',
    result.withdrawn ? 'It is not published any more.' : 'It is still published; --withdraw takes it out.',
    exposure('Tokens it signed', result.residualUntil),
    ...afterTaint(result),
  ]
  return { data: result, text: lines.join('\n') }
}

function ofTenant(result: TaintedTenant, withdraw: boolean): Answer {
  const changed = result.keys.filter((key) => key.changed).length
  const lines = [
    `${count(result.keys.length, 'key')} of ${result.tenant} never ${result.keys.length === 1 ? 'signs' : 'sign'} again, ${changed} of them by this command.`,
    withdraw ? 'None of them is published any more.' : 'What was published still is; --withdraw takes it out.',
    exposure('Tokens they signed', result.residualUntil),
    ...afterTaint(result),
  ]
  return { data: result, text: lines.join('\n') }
}

function everything(result: TaintedRuntime, withdraw: boolean): Answer {
  const { tenants, keys, changed, residualUntil, failed } = result
  const lines = [
    `${count(keys, 'key')} of ${count(tenants.length, 'tenant')} never sign again, ${changed} of them by this command.`,
    withdraw ? 'None of them is published any more.' : 'What was published still is; --withdraw takes it out.',
    ...(residualUntil === null ? [] : [exposure('Tokens they signed', residualUntil)]),
    'Until when for each tenant: repeat with --json, which changes nothing more.',
    ...failed.map(({ tenant, message }) => `NOT DONE for ${tenant}: ${message}`),
    ...(failed.length > 0 ? ['Run the same command again for those.'] : []),
    'No tenant can get a token here (503) until new keys are imported.',
    NEXT,
  ]
  return { data: result, text: lines.join('\n'), ...(failed.length > 0 && { exit: 1 }) }
}

const exposure = (what: string, until: number): string => `${what} may be accepted somewhere until ${utcTime(until)}.`
const NEXT = 'Next: export the receipts, hold an intake and an emergency ceremony, hand over and import the new bundle.'

/** What a taint means for the tenant, and what to do next. */
function afterTaint({ tenant, standbys, unsigned }: Pick<Tainted, 'tenant' | 'standbys' | 'unsigned'>): string[] {
  if (unsigned.length === 0)
    return standbys.length === 0
      ? []
      : [`${tenant} signs with its standby key ${standbys.join(', ')} from now on.`, NEXT]
  return [
    ...standbys.map((kid) => `${tenant} signs with its standby key ${kid} from now on.`),
    '',
    `${tenant} has no other key that may sign ${unsigned.join(', ')}: token requests are refused (503) until a replacement is imported.`,
    NEXT,
  ]
}

// reject-tokens

async function reject(runtime: Runtime, options: Options): Promise<Answer> {
  const before = instantOf(options, 'before', runtime.now())
  const result = await runtime.rejectTokens(text(options, 'tenant'), before, text(options, 'actor'))
  const lines = [
    result.changed
      ? `Tokens of ${result.tenant} issued before ${utcTime(result.before)} are inactive at introspection.`
      : `This was done before: up to ${utcTime(result.before)}.`,
    'Whoever only checks signatures accepts them until they expire, or until their key is withdrawn.',
  ]
  return { data: result, text: lines.join('\n') }
}

/** A time as an option gives it: `now`, `2026-06-09`, or `2026-06-09T14:19:02Z` with or without seconds. Code `usage-invalid`. */
export function instantOf(options: Options, name: string, now: number): number {
  const given = text(options, name)
  const typed = given.length === 10 ? `${given} 00:00` : given.replace(/Z$/, '')
  const at = given === 'now' ? now : parseUtc(typed)
  must(
    at !== null,
    'usage-invalid',
    `--${name} takes "now", a day like 2026-06-09, or a time like 2026-06-09T14:19:02Z.`,
  )
  return at
}

// drill

async function drill(runtime: Runtime, options: Options, _args: string[], reporter: Reporter): Promise<Answer> {
  const report = await runtime.drill(text(options, 'tenant'), (stage, done, total) =>
    reporter.progress(stage === 'before' ? 'tenants before' : 'tenants after', done, total),
  )
  const lines = drillText(report)
  if (options['out'] === undefined) return { data: report, text: lines.join('\n'), exit: report.held ? 0 : 3 }
  const folder = text(options, 'out')
  const path = join(folder, `drill-${report.tenant}-${utcStamp(report.at)}.json`)
  makeFolder(folder)
  writeNewFile(path, `${JSON.stringify(report, null, 2)}\n`)
  const said = [...lines, `The report is in ${path}.`]
  return { data: { ...report, path }, text: said.join('\n'), exit: report.held ? 0 : 3 }
}

function drillText({ tenant, at, tainted, refused, unsigned, residualUntil, others, store, held }: Drill): string[] {
  const { tokens } = others
  const standbys = tainted.flatMap((one) => one.standbys)
  return [
    `Drill of ${utcTime(at)}, on a copy: the keys of ${tenant} that sign are tainted and withdrawn.`,
    '',
    ...tainted.map(({ kid }) => `  ${tenant}: key ${kid} is gone`),
    ...(tainted.length === 0 ? [`  ${tenant}: no key signs for it now`] : []),
    `  ${tenant}: ${count(refused.of, 'token')} of its own from before: ${refused.of - refused.refused} verify`,
    ...standbys.map((kid) => `  ${tenant}: its standby key ${kid} signs at once`),
    ...(unsigned.length > 0 ? [`  ${tenant}: ${unsigned.join(', ')} is signed by nobody: token requests get 503`] : []),
    ...(residualUntil === null
      ? []
      : [`  ${tenant}: tokens of these keys may be accepted somewhere until ${utcTime(residualUntil)}`]),
    '',
    `  ${count(others.tenants, 'other tenant')}: ${others.changed.length} with any byte changed in key set, signed key set, discovery or signer`,
    ...others.changed.slice(0, 20).map((one) => `    CHANGED ${one.tenant}: ${one.what.join(', ')}`),
    `  ${count(tokens.signed, 'token')} of theirs from before: ${tokens.verified} verify`,
    '',
    store.before === store.after
      ? `  The real store is as it was: ${store.before}`
      : '  The real store changed meanwhile, by another process: the drill only reads it.',
    held ? 'The drill held.' : 'THE DRILL DID NOT HOLD.',
  ]
}
