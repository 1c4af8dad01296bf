import { z } from 'zod'
import { failure, lineText, pathText } from '../../shared/contract/common.ts'
import { notice } from '../../shared/contract/contract.ts'

/** What the main process and the engine say to each other. Each side parses what it hears. */

const id = z.int().min(0)

/** The contract parses the input and the value; here only the envelope. */
export const toEngine = z.discriminatedUnion('say', [
  z.strictObject({ say: z.literal('start'), home: pathText, practice: z.boolean() }),
  z.strictObject({ say: z.literal('call'), id, method: lineText, input: z.unknown() }),
  /** The port to the new process comes along. */
  z.strictObject({ say: z.literal('generator'), id }),
  z.strictObject({ say: z.literal('generator-ended'), id, status: z.int().nullable() }),
  z.strictObject({ say: z.literal('end') }),
])
export type ToEngine = z.input<typeof toEngine>

export const fromEngine = z.discriminatedUnion('say', [
  z.strictObject({ say: z.literal('ready') }),
  /** It could not start; it ends itself after saying so. */
  z.strictObject({ say: z.literal('failed'), error: failure }),
  z.strictObject({ say: z.literal('notice'), notice }),
  z.strictObject({
    say: z.literal('outcome'),
    id,
    outcome: z.discriminatedUnion('ok', [
      z.strictObject({ ok: z.literal(true), value: z.unknown() }),
      z.strictObject({ ok: z.literal(false), error: failure }),
    ]),
  }),
  z.strictObject({ say: z.literal('start-generator'), id }),
  z.strictObject({ say: z.literal('kill-generator'), id }),
])
export type FromEngine = z.input<typeof fromEngine>
