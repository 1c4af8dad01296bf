import { z } from 'zod'
import { EXPORT_FORMATS, IMPORT_FORMATS } from '../domain/events.ts'
import { STANDBYS } from '../domain/policy.ts'
import { SHARE_PLACES } from '../domain/roster.ts'
import { drawnKey, fileText, fingerprint, instant, keySpec, kind, nothing, person, planText, role } from './common.ts'
import { mediumFile } from './machine.ts'

/** Building a plan, reading it, and what it will mean. */

/** What the forms choose from: the open vault and the files on the medium. */
export const choices = z.strictObject({
  tenants: z.array(
    z.strictObject({
      tenant: z.string(),
      name: z.string(),
      reserved: z.boolean(),
      offboarded: z.boolean(),
      keys: z.int(),
    }),
  ),
  keys: z.array(
    z.strictObject({
      kid: z.string(),
      label: z.string(),
      tenant: z.string(),
      spec: keySpec,
      /** NIST SP 800-57 state, and why it cannot be destroyed now (null where it can). */
      state: z.string(),
      blocked: z.string().nullable(),
      destroyed: z.boolean(),
      openCopies: z.array(z.strictObject({ id: z.string(), what: z.string() })),
    }),
  ),
  runtimes: z.array(z.strictObject({ runtimeId: z.string(), handoffs: z.int() })),
  people: z.array(person),
  threshold: z.int(),
  holds: z.array(z.string()),
  backups: z.array(z.strictObject({ number: z.int(), holder: z.string(), place: z.string() })),
  files: z.array(mediumFile),
  /** Fixed lists, so that a form cannot offer what the engine does not have. */
  specs: z.array(keySpec),
  importFormats: z.array(z.enum(IMPORT_FORMATS)),
  exportFormats: z.array(z.enum(EXPORT_FORMATS)),
  standbys: z.array(z.enum(STANDBYS)),
  sharePlaces: z.array(z.enum(SHARE_PLACES)),
})
export type Choices = z.output<typeof choices>

export const planStep = z.strictObject({
  id: z.string(),
  title: z.string(),
  who: z.union([role, z.literal('everyone')]),
  readAloud: z.string(),
  do: z.string(),
  observe: z.string(),
  minutes: z.int(),
  quorum: z.boolean(),
  noWayBack: z.boolean(),
})
export type PlanStep = z.output<typeof planStep>

/** When one registered relying party surely knows a key, around the key's first signature. */
export const knowing = z.strictObject({
  relyingParty: z.string(),
  cacheSeconds: z.int(),
  kid: z.string(),
  announcedAt: instant,
  knowsBy: instant,
  signsFrom: instant,
})

export const tenantSchedule = z.strictObject({
  tenant: z.string(),
  name: z.string(),
  /** The keys there are and, marked, those that the plan makes. */
  keys: z.array(z.strictObject({ ...drawnKey.shape, planned: z.boolean() })),
  relyingParties: z.array(knowing),
  /** The rotation prover's answer for this tenant. */
  verdict: z.enum(['no outage', 'outage']),
  states: z.int(),
  /** The latest instant it looked at; null where it had nothing to look at. */
  until: instant.nullable(),
  /** The shortest time by which a relying party knows a key before it signs, in seconds. */
  margin: z.int().nullable(),
  /** What goes wrong and for whom, where there is an outage. */
  why: z.string().nullable(),
})
export type TenantSchedule = z.output<typeof tenantSchedule>

export const problem = z.strictObject({
  /** Where in the plan, like `tenants[2].policy`; empty for the whole. */
  place: z.string(),
  message: z.string(),
})

export const review = z.strictObject({
  kind: kind.nullable(),
  practice: z.boolean().nullable(),
  text: z.string(),
  digest: fingerprint,
  /** The plan in words, a line each, two blanks deeper for what belongs to the line above. */
  lines: z.array(z.string()),
  /** What stands against holding it, as the engine will say it; empty where nothing does. */
  problems: z.array(problem),
  steps: z.array(planStep),
  minutes: z.int(),
  needs: z.strictObject({
    /** Custodians that must act together, after `of` how many there are. */
    threshold: z.int(),
    of: z.int(),
    people: z.array(person),
    /** One person alone does it. */
    alone: z.string().nullable(),
    /** Files are read from or written to a medium. */
    medium: z.boolean(),
  }),
  /** At most 200 tenants, those with an outage first; `tenants` says how many there are. */
  schedule: z.array(tenantSchedule),
  tenants: z.int(),
})
export type Review = z.output<typeof review>

export const PLAN_METHODS = {
  choices: { takes: nothing, gives: choices },
  /** Reads a plan as it would be held in the open vault (or, for a genesis, in none). Never fails because of the plan. */
  reviewPlan: { takes: z.strictObject({ text: planText }), gives: review },
  /** Plans in the home folder and on the medium. */
  plans: {
    takes: nothing,
    gives: z.strictObject({
      plans: z.array(z.strictObject({ place: z.enum(['home', 'medium']), name: z.string(), modified: instant })),
    }),
  },
  loadPlan: {
    takes: z.strictObject({ place: z.enum(['home', 'medium']), name: fileText }),
    gives: z.strictObject({ text: z.string() }),
  },
  /** Keeps a plan beside the vaults, under a name of its own. Code `file-exists`. */
  savePlan: { takes: z.strictObject({ name: fileText, text: planText }), gives: z.strictObject({ name: z.string() }) },
} as const
