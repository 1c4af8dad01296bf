import { z } from 'zod'
import { WHATS } from '../domain/attention.ts'
import { drawnKey, idText, instant, kind, nothing, pathText, person, secretText } from './common.ts'

/** Vaults at hand, and what one of them says when somebody looks at it. */

export const vaultAtHand = z.strictObject({
  folder: z.string(),
  name: z.string(),
  practice: z.boolean(),
  people: z.array(person),
  threshold: z.int(),
  /** Why this folder does not read as a vault; null where it does. */
  problem: z.string().nullable(),
})
export type VaultAtHand = z.output<typeof vaultAtHand>

export const tenantRow = z.strictObject({
  tenant: z.string(),
  name: z.string(),
  issuer: z.string(),
  reserved: z.boolean(),
  offboardedAt: instant.nullable(),
  /** Until when the keys that exist may sign; null without one. */
  signsUntil: instant.nullable(),
  /** When the next key is due to exist, so that it is announced in time; null where one exists or none is needed. */
  nextKeyDue: instant.nullable(),
  /** Not destroyed and not removed, by when they sign. */
  keys: z.array(drawnKey),
})
export type TenantRow = z.output<typeof tenantRow>

/** What needs somebody; screens put it into words. `by`: when it is or was due. */
export const attention = z.strictObject({
  what: z.enum(WHATS),
  by: instant.nullable(),
  overdue: z.boolean(),
  /** Whom it is about: ids of tenants, runtimes, people or ceremonies, with the names people know. */
  about: z.array(z.strictObject({ id: z.string(), name: z.string() })),
  count: z.int(),
})
export type Attention = z.output<typeof attention>

export const openCeremony = z.strictObject({
  ceremony: z.string(),
  kind,
  startedAt: instant,
  done: z.int(),
  of: z.int(),
  /** The title of the step it stands at. */
  next: z.string(),
  /** It cannot be closed any more, only finished. */
  mustFinish: z.boolean(),
})

export const personStatus = z.strictObject({
  ...person.shape,
  share: z.string().nullable(),
  lastProved: instant.nullable(),
  due: instant,
  overdue: z.boolean(),
})
export type PersonStatus = z.output<typeof personStatus>

export const overview = z.strictObject({
  folder: z.string(),
  name: z.string(),
  practice: z.boolean(),
  createdAt: instant,
  openedBy: person,
  openedAt: instant,
  /** The newest event, and the event that the root last signed: the number on the newest head card. */
  events: z.int(),
  signedEvent: z.int().nullable(),
  epoch: z.int(),
  threshold: z.int(),
  people: z.array(personStatus),
  tenants: z.array(tenantRow),
  runtimes: z.array(
    z.strictObject({
      runtimeId: z.string(),
      environment: z.string(),
      handoffs: z.int(),
      lastHandoffAt: instant.nullable(),
      lastReceiptAt: instant.nullable(),
    }),
  ),
  backups: z.array(
    z.strictObject({ number: z.int(), holder: z.string(), place: z.string(), at: instant, tested: z.boolean() }),
  ),
  holds: z.array(z.strictObject({ hold: z.string(), reason: z.string(), keys: z.int(), at: instant })),
  attention: z.array(attention),
  openCeremony: openCeremony.nullable(),
})
export type Overview = z.output<typeof overview>

export const HOME_METHODS = {
  hello: {
    takes: nothing,
    gives: z.strictObject({
      version: z.string(),
      shell: z.enum(['electron', 'browser']),
      home: z.string(),
      /** `--practice`: made-up people whose passphrases may be shown to whoever wants to look around. */
      practice: z
        .strictObject({
          folder: z.string(),
          people: z.array(z.strictObject({ ...person.shape, passphrase: z.string() })),
        })
        .nullable(),
    }),
  },
  /** The vaults in the home folder, or in another one. */
  vaults: {
    takes: z.strictObject({ folder: pathText.nullable() }),
    gives: z.strictObject({ vaults: z.array(vaultAtHand) }),
  },
  /** Opens a vault to look at it, with one person's passphrase. Codes `passphrase-wrong`, `vault-in-use` and those of opening. */
  openVault: {
    takes: z.strictObject({ folder: pathText, person: idText, passphrase: secretText }),
    gives: overview,
  },
  closeVault: { takes: nothing, gives: nothing },
  /** The open vault anew. Code `vault-missing` where none is open. */
  overview: { takes: nothing, gives: overview },
} as const
