import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createVault } from '../../electron/vault/create.ts'
import { p256Public, type UnlockedPerson } from '../../electron/vault/people.ts'
import { sealedDigest } from '../../electron/vault/sealed-table.ts'
import type { Act, Vault } from '../../electron/vault/vault.ts'
import type { KeySpec, PublicJwk } from '../../shared/domain/algorithms.ts'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { madeObjects } from '../../shared/domain/objects.ts'
import { DEFAULT_POLICY } from '../../shared/domain/policy.ts'
import type { PersonName } from '../../shared/domain/roster.ts'
import { firstKey } from '../../shared/domain/schedule.ts'
import { digest, toBase64url } from '../../shared/formats/bytes.ts'
import { signCheckpoint } from '../../shared/formats/checkpoint.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import type { PeopleFile } from '../../shared/formats/people-file.ts'

/** A small practice vault for tests: five people, two of three custodians, one tenant with two keys, one checkpoint. */

export const PEOPLE: readonly PersonName[] = [
  { id: 'ada', name: 'Ada Lovelace', role: 'custodian' },
  { id: 'blaise', name: 'Blaise Pascal', role: 'custodian' },
  { id: 'clara', name: 'Clara Immerwahr', role: 'custodian' },
  { id: 'emmy', name: 'Emmy Noether', role: 'compliance' },
  { id: 'grace', name: 'Grace Hopper', role: 'administrator' },
]
export const THRESHOLD = 2
/** Emmy's is chosen so that its Unicode forms differ: composed letters, a ligature, a full-width digit. */
export const PASSPHRASES: ReadonlyMap<string, string> = new Map(
  PEOPLE.map(({ id }) => [
    id,
    id === 'emmy' ? 'Übermut \uFB01ndet Ångström \uFF17 mal' : `correct horse battery of ${id}`,
  ]),
)
export const CREATED = 1_760_000_000
export const CEREMONY = 'G-2025-001'

export const actOf = (step: string): Act => ({
  ceremony: CEREMONY,
  planDigest: digest('the plan'),
  step,
  objects: digest(`objects of ${step}`),
})

export type Practice = {
  /** The finished vault, closed. Never opened by a test: each takes a copy. */
  folder: string
  present: ReadonlyMap<string, UnlockedPerson>
  kids: { small: string; large: string }
  /** Private halves as they were sealed. */
  secrets: { small: Uint8Array; large: Uint8Array }
  /** A copy of the folder for one test. */
  copy(): string
  only(...ids: string[]): Map<string, UnlockedPerson>
  remove(): void
}

export async function makePractice(): Promise<Practice> {
  const base = mkdtempSync(join(tmpdir(), 'keyrite-vault-'))
  const folder = join(base, 'original.vault')
  const vault = await createVault({
    folder,
    name: 'Rehearsal',
    practice: true,
    people: PEOPLE,
    threshold: THRESHOLD,
    passphrases: PASSPHRASES,
    at: CREATED,
    actor: 'grace',
    first: () => [
      {
        type: 'ceremony-started',
        ceremony: CEREMONY,
        kind: 'genesis',
        planDigest: digest('the plan'),
        plan: '{}',
        present: PEOPLE.map(({ id }) => id),
        clock: null,
        headCard: null,
      },
    ],
  })
  const { kids, secrets } = await fill(vault)
  const { present } = vault
  vault.close()
  let copies = 0
  return {
    folder,
    present,
    kids,
    secrets,
    copy() {
      const copy = join(base, `copy-${++copies}.vault`)
      cpSync(folder, copy, { recursive: true })
      return copy
    },
    only: (...ids) => new Map([...present].filter(([id]) => ids.includes(id))),
    remove: () => rmSync(base, { recursive: true, force: true }),
  }
}

async function fill(vault: Vault) {
  const at = CREATED + 60
  const tenant = {
    type: 'tenant-added',
    tenant: 'acme',
    name: 'Acme',
    issuer: 'http://127.0.0.1:8080/acme',
    policy: DEFAULT_POLICY,
    relyingParties: [{ name: 'shop', cacheSeconds: 3600, refreshesOnUnknownKid: false }],
  } as const
  const small = smallKey()
  const large = { jwk: rsaShaped(), secret: new Uint8Array(randomBytes(RSA_4096_PKCS8)) }
  const first: VaultEvent = { ...tenant, relyingParties: [...tenant.relyingParties] }
  const kids = {
    small: await addKey(vault, 'ES256', small, at, [first]),
    large: await addKey(vault, 'RS256-4096', large, at),
  }
  vault.commit(
    [{ type: 'step-done', ceremony: CEREMONY, step: 'make-keys', observed: 'Two keys were made.' }],
    at,
    'grace',
  )
  await checkpoint(vault, at + 60)
  return { kids, secrets: { small: small.secret, large: large.secret } }
}

/** The size of an RSA-4096 private key in PKCS#8, rounded up. */
export const RSA_4096_PKCS8 = 2380

function smallKey(): { jwk: PublicJwk; secret: Uint8Array } {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    jwk: p256Public(pair.publicKey),
    secret: new Uint8Array(pair.privateKey.export({ format: 'der', type: 'pkcs8' })),
  }
}

/** Only the shape of an RSA-4096 public key: the vault never looks inside. */
export const rsaShaped = (): PublicJwk => ({ kty: 'RSA', n: toBase64url(randomBytes(512)), e: 'AQAB' })

/** Seals a key under the quorum, with the approvals in the log, as a ceremony does. */
export async function addKey(
  vault: Vault,
  spec: KeySpec,
  { jwk, secret }: { jwk: PublicJwk; secret: Uint8Array },
  at: number,
  tenants: VaultEvent[] = [],
): Promise<string> {
  const kid = thumbprint(jwk)
  const times = firstKey(DEFAULT_POLICY, at)
  const made = madeObjects(tenants, [{ tenant: 'acme', kid, spec, times, replaces: null }])
  const act = { ...actOf('make-keys'), objects: digest(canonicalText(made)) }
  const approvals = await vault.approve(act)
  await vault.withQuorum(act, approvals, async (quorum) => {
    const sealed = quorum.seal('acme', kid, spec, secret)
    const generated: VaultEvent = {
      type: 'key-generated',
      tenant: 'acme',
      kid,
      spec,
      jwk,
      label: 'acme',
      times,
      replaces: null,
      generator: { node: 'v24', openssl: '3', process: 'fresh' },
      sealed: sealed.digests,
    }
    const { ceremony, step, objects } = act
    vault.commit([{ type: 'approved', ceremony, step, objects, approvals }, ...tenants, generated], at, 'grace', {
      put: sealed.put,
    })
  })
  return kid
}

/** A new epoch under the quorum, with the approvals in the log. */
export async function newEpoch(vault: Vault, at: number): Promise<void> {
  const act = { ...actOf('new-epoch'), objects: digest(canonicalText({ epoch: vault.roster.epoch + 1 })) }
  const approvals = await vault.approve(act)
  const { ceremony, step, objects } = act
  await vault.withQuorum(act, approvals, (quorum) =>
    vault.activateEpoch(quorum, at, 'grace', () => [{ type: 'approved', ceremony, step, objects, approvals }]),
  )
}

/** Ends a quorum ceremony's work with a checkpoint signed by the root, as ceremonies do. */
export async function checkpoint(vault: Vault, at: number): Promise<void> {
  const act = actOf('checkpoint')
  const approvals = await vault.approve(act)
  const { state, anchor } = vault
  const statement = await vault.withQuorum(act, approvals, async (quorum) =>
    signCheckpoint(
      {
        vaultId: state.vaultId,
        seq: state.seq,
        head: state.head,
        roster: digest(state.roster),
        sealed: sealedDigest(state.sealed),
        iat: at,
      },
      anchor.practice,
      await quorum.root(),
    ),
  )
  vault.commit([{ type: 'checkpoint', statement }], at, null)
}

/** What a vault holds, in a form that two openings can be compared by. */
export const contentOf = (vault: Vault): string =>
  `${vault.state.seq} events, ${digest(
    JSON.stringify([
      vault.state.head,
      [...vault.state.sealed],
      vault.database.prepare('SELECT * FROM events ORDER BY seq').all(),
      vault.database.prepare('SELECT id, hex(blob) AS blob FROM sealed ORDER BY id').all(),
    ]),
  )}`

/** A copy of a list of people with one person's entry changed. */
export const withEntry = (
  file: PeopleFile,
  id: string,
  change: (entry: PeopleFile['people'][string]) => PeopleFile['people'][string],
): PeopleFile => {
  const entry = file.people[id]
  if (!entry) throw new Error(`there is no ${id}`)
  return { ...file, people: { ...file.people, [id]: change(entry) } }
}
