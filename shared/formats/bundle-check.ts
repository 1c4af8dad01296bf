import { lintKey } from '../domain/lint.ts'
import type { PastKey } from '../domain/past-keys.ts'
import { checkPolicy, MAX_JWKS_BYTES, type PublishedAs } from '../domain/policy.ts'
import { planTimes, type Slot } from '../domain/slots.ts'
import { asKeyriteError, type Code, KeyriteError } from '../errors.ts'
import {
  type BundleKey,
  type JwkSetClaims,
  openJwkSet,
  type PublishedJwk,
  publishedJwk,
  type SignedSlot,
  type TenantLine,
} from './bundle.ts'
import { openHistoricalSet } from './historical.ts'
import { canonicalText } from './json.ts'
import { headerText, JWK_SET_TYP, type StatementKey } from './jws.ts'
import { checkIssuerUrl } from './tenant-id.ts'
import { findingOfCertificate } from './x509.ts'

/** What must hold for one tenant of a bundle: checked before the root signs it, and again by everyone who reads it. */

/** A tenant line without what the root signs for it: its slots and its past keys. */
export type TenantEntry = Omit<TenantLine, 'slots' | 'historical'>
/** What the vault puts into a bundle of a tenant, before anything is signed. */
export type TenantToSign = TenantEntry & { past?: readonly PastKey[] }

/** As in the format of a tenant line. */
const MAX_KEYS = 64
const MAX_TOMBSTONES = 1000

/**
 * Checks the rules of one tenant and cuts its slots from `iat` (lifecycle.md, "Schedule" and "Slots"). Codes:
 * `key-refused` for a key that lint finds weak, `tombstone-hit` for a key that is named destroyed, `issuer-url-invalid`,
 * and `code` for a policy, a schedule, a published set or a list that is not allowed. A tenant all of whose keys are
 * compromised is allowed: its runtime must learn that, and then has nothing to sign with.
 */
export function planSlots(entry: TenantEntry, iat: number, practice: boolean, code: Code): Slot[] {
  const rule = (holds: boolean, what: string) => {
    if (!holds) throw new KeyriteError(code, `Tenant ${entry.tenant}: ${what}.`)
  }
  checkIssuerUrl(entry.issuer, practice)
  try {
    checkPolicy(entry.policy, entry.relyingParties)
  } catch (error) {
    rule(false, `its policy is not allowed: ${asKeyriteError(error).message}`)
  }
  lintKeys(entry)
  checkTombstones(entry)
  rule(entry.keys.length > 0, 'it has no key')
  rule(entry.keys.length <= MAX_KEYS, `it has more than ${MAX_KEYS} keys: destroy those that are compromised`)
  rule(entry.tombstones.length <= MAX_TOMBSTONES, `it has more than ${MAX_TOMBSTONES} destroyed keys`)
  const gone = new Set(entry.compromised.map((key) => key.kid))
  rule(gone.size === entry.compromised.length, 'a compromised key is named twice')
  const { slots, finding } = planTimes(entry.policy, entry.keys, gone, iat)
  rule(finding === null, finding ?? '')
  const published = publishedText(entry)
  for (const slot of slots) {
    const bytes = `{"keys":${published(slot.kids)}}`.length
    rule(bytes <= MAX_JWKS_BYTES, `its key set would have ${bytes} bytes`)
  }
  return slots
}

function lintKeys(entry: TenantEntry): void {
  for (const key of entry.keys) {
    const [finding] = lintKey(key.spec, key.jwk)
    if (finding)
      throw new KeyriteError('key-refused', `Key ${key.kid} of tenant ${entry.tenant} is refused: ${finding.message}`)
  }
}

function checkTombstones(entry: TenantEntry): void {
  const destroyed = new Set(entry.tombstones.map((stone) => stone.kid))
  const back = entry.keys.find((key) => destroyed.has(key.kid))
  if (back) throw new KeyriteError('tombstone-hit', `Key ${back.kid} of tenant ${entry.tenant} was destroyed.`)
}

/**
 * Checks the certificates of a tenant's keys (x509.ts). A key has one only where the policy asks for them; a key that was
 * imported, or made before the policy asked, has none. Code: `code`.
 */
export async function checkCertificates({ tenant, issuer, policy, keys }: TenantEntry, code: Code): Promise<void> {
  const checks = keys.map(async ({ x5c, announceAt: from, removeAt: to, ...key }) => {
    const finding = x5c && (await findingOfCertificate(x5c, key, { issuer, from, to }))
    if (finding) throw new KeyriteError(code, `Tenant ${tenant}: key ${key.kid} is refused: ${finding}.`)
    if (x5c && !policy.x509)
      throw new KeyriteError(
        code,
        `Tenant ${tenant}: key ${key.kid} has a certificate that its policy does not ask for.`,
      )
  })
  await Promise.all(checks)
}

/** The keys of a slot as relying parties see them, in the slot's order: `policy` is that of their tenant. */
export function keySet(keys: readonly BundleKey[], kids: readonly string[], policy: PublishedAs): PublishedJwk[] {
  const byKid = new Map(keys.map((key) => [key.kid, key]))
  return kids.flatMap((kid) => {
    const key = byKid.get(kid)
    return key ? [publishedJwk(key, policy)] : []
  })
}

/** The canonical text of `keySet`. Each key is written once: the slots of a tenant name the same few again and again. */
function publishedText({ keys, policy }: TenantEntry): (kids: readonly string[]) => string {
  const texts = new Map<string, string>()
  const textOf = (kid: string): string => {
    const text = texts.get(kid) ?? keySet(keys, [kid], policy).map(canonicalText).join()
    texts.set(kid, text)
    return text
  }
  return (kids) => `[${kids.map(textOf).filter(Boolean).join()}]`
}

/** The canonical text (RFC 8785) of a signed set's claims: what `canonicalText` would give, from the text of the keys. */
function claimsText({ iss, sub, iat, nbf, exp }: Omit<JwkSetClaims, 'keys'>, keys: string): string {
  const [issText, subText] = [iss, sub].map(canonicalText)
  return `{"exp":${exp},"iat":${iat},"iss":${issText},"keys":${keys},"nbf":${nbf},"sub":${subText}}`
}

/** The claims of a slot's signed set, without the keys. Its signature counts from the slot's start to its expiry. */
export const slotClaims = (issuer: string, iat: number, slot: Slot): Omit<JwkSetClaims, 'keys'> => ({
  iss: issuer,
  sub: issuer,
  iat,
  nbf: slot.from,
  exp: slot.expires,
})

/**
 * Checks one tenant of a bundle completely: the rules of `planSlots`, and that its slots are exactly the ones that the
 * schedule gives, each set and each `without` variant signed by the root with exactly those keys; certificates and past
 * keys likewise. Codes as `planSlots` with `bundle-refused`, and of `openStatement` for a set. Gives the slots as planned.
 */
export async function checkTenantLine(
  line: TenantLine,
  iat: number,
  pin: { practice: boolean; key: StatementKey; isSigned?: IsSigned },
): Promise<Slot[]> {
  const plan = planSlots(line, iat, pin.practice, 'bundle-refused')
  await checkCertificates(line, 'bundle-refused')
  await checkSlots(line, line.slots, plan, iat, pin.key, pin.isSigned)
  await checkHistorical(line, iat, pin.key)
  return plan
}

/**
 * Checks the past keys of a tenant: signed by the root with this bundle, for this issuer. A key that the bundle names may
 * be among them only if it is compromised, and then the set says so: such a key is in no slot, whatever its schedule says,
 * and the bundle names it until its time is over so that its runtimes learn of it. Codes `bundle-refused`, and of
 * `openHistoricalSet`.
 */
async function checkHistorical(line: TenantLine, iat: number, key: StatementKey): Promise<void> {
  if (line.historical === undefined) return
  const refuse = (what: string) => new KeyriteError('bundle-refused', `Tenant ${line.tenant}: ${what}.`)
  const said = await openHistoricalSet(line.historical, key)
  if (said.iss !== line.issuer || said.iat !== iat) throw refuse('its set of past keys is of another bundle')
  const named = new Set(line.keys.map(({ kid }) => kid))
  const compromised = new Map(line.compromised.map(({ kid, at }) => [kid, at]))
  for (const { kid, revoked } of said.keys) {
    const at = compromised.get(kid)
    if (at === undefined && named.has(kid)) throw refuse('a key that is still published stands among its past keys')
    if (at !== undefined && revoked?.revoked_at !== at) throw refuse('a past key is not revoked as the bundle says')
  }
}

/**
 * True only for a compact JWS with exactly this header and payload whose signature by the root holds. False decides
 * nothing: then the set is read strictly. Whoever checks thousands of sets gives one, because almost all are canonical.
 */
export type IsSigned = (jws: string, header: string, payload: string) => boolean

/**
 * Checks that signed slots are exactly the planned ones, each set and each `without` variant signed by the root with exactly
 * those keys of the tenant. Codes `bundle-refused` for other slots or keys, and of `openStatement` for a set.
 */
export async function checkSlots(
  entry: TenantEntry,
  slots: readonly SignedSlot[],
  plan: readonly Slot[],
  iat: number,
  key: StatementKey,
  isSigned: IsSigned = () => false,
): Promise<void> {
  const refuse = (what: string) => new KeyriteError('bundle-refused', `Tenant ${entry.tenant}: ${what}.`)
  const header = headerText(JWK_SET_TYP, key)
  const published = publishedText(entry)
  if (plan.length !== slots.length) throw refuse('its slots are not those of its schedule')
  const checks = plan.map(async (slot, index) => {
    const signed = slots[index]
    if (signed?.from !== slot.from || signed.to !== slot.to) throw refuse('its slots are not those of its schedule')
    for (const [jws, kids] of setsOf(signed, slot)) {
      if (jws === undefined) throw refuse('a slot lacks a set for a withdrawal')
      const expected = claimsText(slotClaims(entry.issuer, iat, slot), published(kids))
      if (isSigned(jws, header, expected)) continue
      const said = await openJwkSet(jws, key)
      if (canonicalText(said) !== expected) throw refuse('a signed set is not that of its slot')
    }
    if (Object.keys(signed.without).length !== slot.kids.length) throw refuse('a slot has a set too many')
  })
  await Promise.all(checks)
}

/** Each signed set of a slot with the keys it must hold: the whole one, then one without each key. */
const setsOf = (signed: SignedSlot, slot: Slot): [string | undefined, string[]][] => [
  [signed.set, slot.kids],
  ...slot.kids.map((gone): [string | undefined, string[]] => [
    signed.without[gone],
    slot.kids.filter((kid) => kid !== gone),
  ]),
]
