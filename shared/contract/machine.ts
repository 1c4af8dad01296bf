import { z } from 'zod'
import { fileText, instant, nothing, pathText } from './common.ts'

/** The machine under the table: its network and clock, what makes it fit for a ceremony, and the media that files travel on. */

export const machine = z.strictObject({
  /** Names of the network interfaces that are up; none of them is the loopback. */
  networks: z.array(z.string()),
  /** This machine's clock, and how many minutes its local time is ahead of UTC. */
  now: instant,
  localMinutes: z.int(),
})
export type Machine = z.output<typeof machine>

export const CHECKS = [
  'network',
  'self-test',
  'app',
  'disk-encryption',
  'swap',
  'hibernation',
  'core-dumps',
  'free-space',
  'printer',
] as const

export const check = z.strictObject({
  id: z.enum(CHECKS),
  /** `unknown`: this machine does not tell, so somebody has to look. */
  state: z.enum(['pass', 'fail', 'unknown']),
  title: z.string(),
  /** What was found, with the numbers or names. */
  found: z.string(),
  /** Why it matters. */
  why: z.string(),
  /** How to put it right; empty where it passes. */
  fix: z.string(),
})
export type Check = z.output<typeof check>

export const medium = z.strictObject({
  folder: z.string(),
  label: z.string(),
  fileSystem: z.string(),
  /** Bytes; null where the system does not tell. */
  size: z.number().nullable(),
  free: z.number().nullable(),
  removable: z.boolean(),
  writable: z.boolean(),
})
export type Medium = z.output<typeof medium>

export const FILE_KINDS = [
  'plan',
  'trust anchor',
  'enrollment',
  'receipts',
  'bundle',
  'key material',
  'envelope',
  'revocation',
  'exported key',
  'share',
  'backup',
  'certificate',
  'succession',
  'head card',
  'acceptance',
  'other',
] as const

export const mediumFile = z.strictObject({
  name: z.string(),
  kind: z.enum(FILE_KINDS),
  size: z.number(),
  modified: instant,
})
export type MediumFile = z.output<typeof mediumFile>

/** What a file says of itself, before anybody accepts it. */
export const inspected = z.strictObject({
  name: z.string(),
  kind: z.enum(FILE_KINDS),
  /** Who signed it, in one sentence; and whether that was checked against the open vault. */
  signer: z.string(),
  verified: z.boolean(),
  digest: z.strictObject({ hex: z.array(z.string()), words: z.array(z.string()) }),
  /** What the digest is taken over. */
  covers: z.string(),
  /** The runtime that it comes from or is for; null for what names none. */
  runtime: z.string().nullable(),
  facts: z.array(z.strictObject({ name: z.string(), value: z.string() })),
})
export type Inspected = z.output<typeof inspected>

export const qrFrame = z.string().max(1200)

export const MACHINE_METHODS = {
  machine: { takes: nothing, gives: machine },
  /** Checks the machine anew; takes a second or two. */
  readiness: { takes: nothing, gives: z.strictObject({ checks: z.array(check), practice: z.boolean() }) },
  media: { takes: nothing, gives: z.strictObject({ media: z.array(medium), chosen: z.string().nullable() }) },
  /** Names of the folders inside one (the home folder for null), for choosing one that is no medium. */
  folders: {
    takes: z.strictObject({ folder: pathText.nullable() }),
    gives: z.strictObject({ folder: z.string(), parent: z.string().nullable(), folders: z.array(z.string()) }),
  },
  /** From now on files are carried in this folder, both ways. */
  chooseMedium: { takes: z.strictObject({ folder: pathText }), gives: medium },
  files: { takes: nothing, gives: z.strictObject({ folder: z.string(), files: z.array(mediumFile) }) },
  inspect: { takes: z.strictObject({ name: fileText }), gives: inspected },
  /** Writes everything out and lets the medium go; says in one sentence whether it may be pulled. */
  unmount: { takes: nothing, gives: z.strictObject({ safe: z.boolean(), said: z.string() }) },
  /** A small file of the medium as texts for QR codes. Code `file-too-large`. */
  qrFrames: { takes: z.strictObject({ name: fileText }), gives: z.strictObject({ frames: z.array(qrFrame) }) },
  /** Frames that a camera read, all of one file: writes the file to the medium. Codes `format-invalid`, `file-exists`. */
  takeQr: {
    takes: z.strictObject({ frames: z.array(qrFrame).min(1).max(200) }),
    gives: z.strictObject({ name: z.string() }),
  },
  /** The camera may be used until it is switched off again. */
  camera: { takes: z.strictObject({ on: z.boolean() }), gives: nothing },
} as const
