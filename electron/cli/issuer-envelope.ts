import { Command } from 'commander'
import { utcTime } from '../../shared/domain/utc.ts'
import { must } from '../../shared/errors.ts'
import type { Runtime } from '../issuer/runtime.ts'
import { actorOption, inRuntime, type Options, text } from './in-runtime.ts'
import type { Answer } from './output.ts'

/** Sealed emergency envelopes at the runtime: a tenant's way out when no quorum is near. */
export function envelopeCommands(): Command {
  const envelope = new Command('envelope').description('sealed emergency envelopes')
  envelope.addCommand(
    inRuntime('offer', 'make transport keys for envelopes; they leave with the next receipts', offer).requiredOption(
      '--count <number>',
      'how many envelopes',
    ),
  )
  envelope.addCommand(
    inRuntime('open', 'withdraw a key and sign with the standby key in the envelope; there is no way back', open)
      .argument('<file>', 'the envelope')
      .option('--withdraw <kid>', 'the key to withdraw (default: the one that signs)')
      .addOption(actorOption()),
  )
  envelope.addCommand(
    inRuntime('cancel', 'erase the transport key of an envelope: from then on it opens for nobody', cancel).argument(
      '<kid>',
      'the transport key',
    ),
  )
  return envelope
}

async function offer(runtime: Runtime, options: Options): Promise<Answer> {
  const count = Number(text(options, 'count'))
  must(Number.isInteger(count), 'usage-invalid', '--count is a whole number.')
  const kids = await runtime.envelopes.offer(count)
  const next = 'Next: "issuer receipts export", an intake ceremony, then an envelope ceremony.'
  return { data: { kids }, text: [`${kids.length} transport keys are kept for envelopes.`, next].join('\n') }
}

async function open(runtime: Runtime, options: Options, [file = '']: string[]): Promise<Answer> {
  const withdraw = typeof options['withdraw'] === 'string' ? options['withdraw'] : null
  const opened = await runtime.envelopes.open(file, { withdraw, actor: text(options, 'actor') })
  const lines = [
    `Envelope ${opened.number} is open: ${opened.tenant} signs with its standby key ${opened.standby}.`,
    `Key ${opened.withdrawn} never signs again and is not published any more.`,
    `Tokens it signed may be accepted somewhere until ${utcTime(opened.residualUntil)}.`,
    'Next: export the receipts, hold an intake and an emergency ceremony for the withdrawn key, and hand over.',
  ]
  return { data: opened, text: lines.join('\n') }
}

async function cancel(runtime: Runtime, _: Options, [kid = '']: string[]): Promise<Answer> {
  await runtime.envelopes.cancel(kid)
  return { data: { kid }, text: 'The transport key is erased: its envelope opens for nobody any more.' }
}
