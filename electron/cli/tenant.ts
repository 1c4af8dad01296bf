import { resolve } from 'node:path'
import { Command } from 'commander'
import type { ScheduledKey } from '../../shared/domain/key.ts'
import { knownTenant } from '../../shared/domain/known.ts'
import { count } from '../../shared/domain/plural.ts'
import { type Policy, type RelyingParty, spellDuration } from '../../shared/domain/policy.ts'
import { ASSUMPTIONS, claimOf, type Proof, partiesOf, prove, sayException } from '../../shared/domain/prover.ts'
import { must } from '../../shared/errors.ts'
import { duration } from '../../shared/formats/plan.ts'
import { renderProofSvg } from '../../shared/pages/prover-svg.ts'
import { proofText } from '../../shared/pages/prover-text.ts'
import { timelineOf } from '../../shared/pages/prover-timeline.ts'
import type { Reporter } from '../app/reporter.ts'
import { writeNewFile } from '../files/write.ts'
import { text } from './open-vault.ts'
import { type Answer, answering } from './output.ts'
import { withView } from './view.ts'

type Options = Record<string, unknown>

/** `tenant prove TENANT`: the rotation prover, over the vault's keys as they stand. Exit 3 with a counterexample. */
export function proveCommand(): Command {
  return new Command('prove')
    .argument('<tenant>', 'its id')
    .description('whether any relying party may meet a token that it cannot verify')
    .requiredOption('--vault <folder>', 'the vault')
    .option('--passphrases <folder>', 'one file per person, named by the id (default: ask one person)')
    .option('--cache <time>', 'also for a relying party that keeps key sets so long, such as 12h')
    .option('--refresh', 'that relying party fetches again on an unknown key id')
    .option('--no-refresh', 'it does not (the default)')
    .option('--replica-lag <time>', 'replicas of the runtime may be so long behind, such as 5m')
    .option('--svg <file>', 'draw the counterexample into this file')
    .action(answering(proveTenant))
}

async function proveTenant([id = '']: string[], options: Options, reporter: Reporter): Promise<Answer> {
  const whatIf = hypothetical(options)
  const assumptions = { ...ASSUMPTIONS, replicaLag: seconds('--replica-lag', options['replicaLag']) ?? 0 }
  return withView(options, (vault) => {
    const tenant = knownTenant(vault.state, id)
    const { policy, keys } = claimOf(vault.state, tenant)
    must(keys.length > 0, 'key-unknown', `Tenant ${id} has no usable key.`, {
      hint: 'Make new keys for it first, with a rotation.',
    })
    const relyingParties = [...partiesOf(tenant.relyingParties), ...whatIf]
    const proof = prove(policy, keys, relyingParties, { ...assumptions, from: Math.floor(Date.now() / 1000) })
    const nameOf = (kid: string): string => vault.state.keys.get(kid)?.label ?? kid
    const found = [`${sayOutcome(id, proof)} ${count(keys.length, 'key')}, ${parties(relyingParties)}.`]
    found.push(
      `Granted: clocks ${spellDuration(assumptions.skew)} apart, answers ${spellDuration(assumptions.maxAge)} old, replicas ${spellDuration(assumptions.replicaLag)} behind.`,
      ...proof.excepted.map((one) => sayException({ ...one, kid: nameOf(one.kid) })),
    )
    const drawn = draw(proof, { policy, keys, nameOf }, text(options['svg']), reporter)
    const data = { tenant: id, assumptions, relyingParties, ...proof }
    return { data, text: [...found, ...drawn].join('\n'), exit: proof.outcome === 'outage' ? 3 : 0 }
  })
}

const parties = (all: readonly RelyingParty[]): string => count(all.length, 'relying party', 'relying parties')

const sayOutcome = (tenant: string, { outcome, states }: Proof): string =>
  `${tenant}: ${outcome === 'outage' ? 'an outage is possible' : 'no outage'}. ${count(states, 'state')} explored:`

type Shown = { policy: Policy; keys: readonly ScheduledKey[]; nameOf: (kid: string) => string }

/** The counterexample for the terminal and, where asked for, as a picture. Codes `file-exists`, `medium-failed`. */
function draw(proof: Proof, { policy, keys, nameOf }: Shown, file: string | undefined, reporter: Reporter): string[] {
  if (proof.outcome === 'no outage') {
    if (file) reporter.say('There is nothing to draw.')
    return []
  }
  const timeline = timelineOf(proof.counterexample, keys, nameOf, policy.accessTokenLifetime)
  if (file) {
    writeNewFile(resolve(file), renderProofSvg(timeline))
    reporter.say(`Drawn in ${file}.`)
  }
  return ['', proofText(timeline)]
}

/** The relying party that the options describe, if they do. Code `usage-invalid`. */
function hypothetical(options: Options): RelyingParty[] {
  const cacheSeconds = seconds('--cache', options['cache'])
  must(
    cacheSeconds !== undefined || options['refresh'] === undefined,
    'usage-invalid',
    'Say with --cache how long that relying party keeps a key set.',
  )
  if (cacheSeconds === undefined) return []
  const refreshesOnUnknownKid = options['refresh'] === true
  return [
    { name: `a relying party with a cache of ${spellDuration(cacheSeconds)}`, cacheSeconds, refreshesOnUnknownKid },
  ]
}

function seconds(option: string, given: unknown): number | undefined {
  if (given === undefined) return undefined
  const parsed = duration.safeParse(given)
  must(parsed.success, 'usage-invalid', `${option} takes a duration like 90d, 12h, 30m or 45s.`)
  return parsed.data
}
