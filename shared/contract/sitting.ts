import { z } from 'zod'
import {
  failure,
  fingerprint,
  idText,
  instant,
  kind,
  nothing,
  pathText,
  person,
  planText,
  reasonText,
  secretText,
} from './common.ts'
import { CHECKS } from './machine.ts'
import { planStep } from './plan.ts'

/**
 * A sitting: people around this machine who hold one ceremony, from its plan to its signed record. The engine asks one
 * question at a time; everybody sees the same sitting, and whoever it is about answers.
 */

export const seated = z.strictObject({
  ...person.shape,
  /** When they came to the keyboard and opened what is sealed for them; null while they have not. */
  hereSince: instant.nullable(),
  /** Three times a passphrase that does not open it: they are left out of this sitting. */
  leftOut: z.boolean(),
})

export const sittingStep = z.strictObject({
  ...planStep.shape,
  status: z.enum(['done', 'now', 'to-do']),
  at: instant.nullable(),
  by: z.string().nullable(),
  observed: z.string().nullable(),
})
export type SittingStep = z.output<typeof sittingStep>

const copyRow = z.strictObject({
  id: z.string(),
  what: z.string(),
  holder: z.string(),
  evidence: z.string(),
  /** What becomes of it in this ceremony. */
  state: z.enum(['ends-now', 'closed', 'stays-open']),
})
export type CopyRow = z.output<typeof copyRow>

/** One key that a destruction is about. */
export const doomedKey = z.strictObject({
  kid: z.string(),
  label: z.string(),
  tenant: z.string(),
  /** Since when it signs nothing, and until when tokens may still need it. */
  signedUntil: instant,
  copies: z.array(copyRow),
})

const asked = { id: z.int() }

/** What is asked now. `people` are those who may answer. */
export const question = z.discriminatedUnion('ask', [
  /** Is this the plan that was reviewed? */
  z.strictObject({ ...asked, ask: z.literal('plan'), digest: fingerprint, lines: z.array(z.string()) }),
  /** Two people read UTC from watches of their own. */
  z.strictObject({
    ...asked,
    ask: z.literal('time'),
    people: z.array(person),
    /** Seconds by which each watch read so far is ahead of this machine. */
    read: z.array(z.strictObject({ by: z.string(), ahead: z.int() })),
    problem: z.string().nullable(),
  }),
  /** The newest head card, typed from paper. */
  z.strictObject({ ...asked, ask: z.literal('head-card'), problem: z.string().nullable() }),
  /** A step begins: it has been read aloud. */
  z.strictObject({ ...asked, ask: z.literal('begin'), step: z.string() }),
  /** What was found; initials of whoever saw it. `initials`: those of everybody present. */
  z.strictObject({
    ...asked,
    ask: z.literal('initial'),
    step: z.string(),
    observed: z.string(),
    initials: z.array(z.strictObject({ id: z.string(), initials: z.string() })),
    problem: z.string().nullable(),
  }),
  /** M custodians approve, each with their own passphrase. */
  z.strictObject({
    ...asked,
    ask: z.literal('approve'),
    title: z.string(),
    custodians: z.array(person),
    needed: z.int(),
    approved: z.array(z.strictObject({ id: z.string(), at: instant })),
    refused: z.array(z.string()),
    problem: z.string().nullable(),
    /** What they accept, for events that nobody accepted yet; empty otherwise. */
    events: z.array(z.string()),
  }),
  /** Comparison by voice: `covered` words must come from it. */
  z.strictObject({
    ...asked,
    ask: z.literal('compare'),
    what: z.string(),
    hex: z.array(z.string()),
    /** null where a word is covered. */
    words: z.array(z.string().nullable()),
    covered: z.array(z.int()),
    /** Places whose word was typed and is right. */
    typed: z.array(z.int()),
    people: z.array(person),
    reader: z.string().nullable(),
    typist: z.string().nullable(),
    problem: z.string().nullable(),
  }),
  /** The words that nothing undoes, typed by each of these people. */
  z.strictObject({
    ...asked,
    ask: z.literal('confirm'),
    words: z.string(),
    people: z.array(person),
    typed: z.array(z.strictObject({ id: z.string(), at: instant })),
    problem: z.string().nullable(),
    keys: z.array(doomedKey),
    /** What the certificate will be: deletion while a copy stays open. */
    certificate: z.enum(['deletion', 'destruction']).nullable(),
  }),
  z.strictObject({ ...asked, ask: z.literal('dice'), rolls: z.int(), typed: z.int(), problem: z.string().nullable() }),
  /** A secret that only one person knows. `generated`: six words shown to them alone, until they go on. */
  z.strictObject({
    ...asked,
    ask: z.literal('secret'),
    what: z.string(),
    owner: person,
    /** A new passphrase is made here or typed twice; the password of a file is typed once. */
    fresh: z.boolean(),
    stage: z.enum(['choose', 'show', 'type', 'again']),
    generated: z.array(z.string()),
    problem: z.string().nullable(),
  }),
  /** Before signing: does this person agree with the record? */
  z.strictObject({
    ...asked,
    ask: z.literal('agree'),
    person,
    digest: fingerprint,
    signed: z.array(z.string()),
    problem: z.string().nullable(),
  }),
])
export type Question = z.output<typeof question>

/** Answers to the question in force. Each is taken, or refused with the question's `problem`; then nothing has changed. */
export const answer = z.discriminatedUnion('give', [
  z.strictObject({ give: z.literal('plan'), same: z.boolean() }),
  z.strictObject({ give: z.literal('watch'), by: idText, utc: z.string().max(40) }),
  /** `card` null: nobody has one at hand, and the record says so. */
  z.strictObject({
    give: z.literal('head-card'),
    card: z.strictObject({ event: z.string().max(12), head: z.string().max(100) }).nullable(),
  }),
  z.strictObject({ give: z.literal('begin') }),
  z.strictObject({ give: z.literal('initials'), initials: z.string().max(12) }),
  z.strictObject({ give: z.literal('approval'), person: idText, passphrase: secretText }),
  z.strictObject({ give: z.literal('refusal'), person: idText }),
  z.strictObject({ give: z.literal('readers'), reader: idText, typist: idText }),
  z.strictObject({ give: z.literal('word'), place: z.int().min(0).max(23), word: z.string().max(40) }),
  /** Whether all words that are not covered agree, as they were read aloud. False ends the comparison. */
  z.strictObject({ give: z.literal('rest'), agrees: z.boolean() }),
  z.strictObject({ give: z.literal('words'), person: idText, words: z.string().max(200) }),
  z.strictObject({ give: z.literal('dice'), rolls: z.string().max(4000) }),
  z.strictObject({ give: z.literal('secret-choice'), choose: z.enum(['generated', 'own', 'show-again']) }),
  z.strictObject({ give: z.literal('secret-shown') }),
  z.strictObject({ give: z.literal('secret'), secret: secretText }),
  z.strictObject({ give: z.literal('agreement'), agrees: z.boolean(), reason: reasonText.nullable() }),
])
export type Answer = z.output<typeof answer>

const deviation = z.strictObject({ expected: reasonText, happened: reasonText, action: reasonText })

export const writtenFile = z.strictObject({ name: z.string(), size: z.number() })

export const sitting = z.strictObject({
  /**
   * `gathering`: people come in; `running`: the engine asks; `paused`: it stopped and can be gone on with; `failed`: it
   * could not begin, or stopped on an error; `closed`: ended with a reason; `finished`: with a signed record.
   */
  phase: z.enum(['gathering', 'running', 'paused', 'failed', 'closed', 'finished']),
  /** What the sitting does: hold a plan, go on with an open ceremony, close one, or rehearse a plan. */
  doing: z.enum(['hold', 'resume', 'close', 'rehearse']),
  kind,
  practice: z.boolean(),
  vault: z.strictObject({ folder: z.string(), name: z.string() }),
  /** The ceremony's id, once it has begun. */
  ceremony: z.string().nullable(),
  plan: z.strictObject({ digest: fingerprint, lines: z.array(z.string()) }).nullable(),
  people: z.array(seated),
  threshold: z.int(),
  /** One person alone does it. */
  alone: z.string().nullable(),
  canBegin: z.boolean(),
  steps: z.array(sittingStep),
  question: question.nullable(),
  /** Long work under way. */
  progress: z.strictObject({ label: z.string(), done: z.int(), of: z.int() }).nullable(),
  /** What was said of each step, oldest first; at most 200 lines. */
  said: z.array(z.strictObject({ at: instant, text: z.string() })),
  /** Deviations noted, not yet recorded. */
  noted: z.int(),
  /** Files written on the medium in this sitting. */
  files: z.array(writtenFile),
  /** Why it paused or failed, or what the last try came to. */
  problem: failure.nullable(),
  result: z
    .strictObject({
      ceremony: z.string(),
      record: z.string().nullable(),
      certificates: z.array(z.strictObject({ id: z.string(), grade: z.enum(['deletion', 'destruction']) })),
      /** Keys that a closed ceremony erased because they never left. */
      erased: z.int(),
    })
    .nullable(),
})
export type Sitting = z.output<typeof sitting>

/** The reason to go on although a readiness check does not pass. With what the engine finds it becomes a deviation of the record. */
export const override = z.strictObject({ check: z.enum(CHECKS), reason: reasonText })
export type Override = z.output<typeof override>

export const SITTING_METHODS = {
  /**
   * Sits down. `hold` in the open vault's folder, or for a genesis in a new one of the home folder; `close` with a reason.
   * Codes `ceremony-open` while another sitting is not over, `plan-invalid`, `vault-missing`, `environment-unsafe` where a
   * check fails without a reason given and the vault is a production one.
   */
  sit: {
    takes: z.discriminatedUnion('doing', [
      z.strictObject({
        doing: z.literal('hold'),
        folder: pathText.nullable(),
        plan: planText,
        overrides: z.array(override).max(CHECKS.length),
      }),
      z.strictObject({ doing: z.literal('rehearse'), folder: pathText.nullable(), plan: planText }),
      z.strictObject({ doing: z.literal('resume'), folder: pathText, overrides: z.array(override).max(CHECKS.length) }),
      z.strictObject({
        doing: z.literal('close'),
        folder: pathText,
        reason: reasonText,
        overrides: z.array(override).max(CHECKS.length),
      }),
    ]),
    gives: sitting,
  },
  /** Somebody comes to the keyboard. Codes `passphrase-wrong`, `people-invalid`. */
  arrive: { takes: z.strictObject({ person: idText, passphrase: secretText }), gives: sitting },
  /** Everybody is here. Code `quorum-missing`. What follows comes as questions. */
  begin: { takes: nothing, gives: sitting },
  /** Answers the question with this id; another id is refused, so nothing is answered twice. Code `usage-invalid`. */
  answer: { takes: z.strictObject({ question: z.int(), answer }), gives: sitting },
  note: { takes: deviation, gives: sitting },
  /** Stops where it stands: finished steps are kept, everything unlocked is forgotten. */
  pause: { takes: z.strictObject({ why: z.enum(['asked', 'lid']) }), gives: sitting.nullable() },
  /** Closes the ceremony with a reason, by the people who are here. */
  closeCeremony: { takes: z.strictObject({ reason: reasonText }), gives: sitting },
  sitting: { takes: nothing, gives: sitting.nullable() },
  /** Leaves a sitting that is over. */
  rise: { takes: nothing, gives: nothing },
} as const
