import { KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { must } from '../../shared/errors.ts'
import { fromUtf8, wipe } from '../../shared/formats/bytes.ts'
import { ENVELOPE_CAPS, type Envelope, envelopeBinding, openEnvelope } from '../../shared/formats/envelope.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { openSealed } from '../../shared/formats/jwe.ts'
import { materialTyp } from '../../shared/formats/material.ts'
import { readLinesGuarded } from '../files/read.ts'
import { type Context, markHighwater } from './context.ts'
import { checkBinding } from './import-checks.ts'
import { servedTime, settle, touch } from './lifecycle.ts'
import { mustMatch } from './staging.ts'
import { taint } from './taint.ts'
import { servedTenant, signersAt, type TenantState } from './tenant-state.ts'
import { eraseTransportKey, makeTransportKey, openTransportKey } from './transport.ts'

/** Sealed emergency envelopes at the runtime: offering their transport keys, and opening one. */

/** Offers transport keys for envelopes: each is kept until its envelope is opened or it is cancelled. Gives their ids. */
export async function offerEnvelopeKeys(context: Context, count: number): Promise<string[]> {
  const { store, sealer, receipts, clock } = context
  must(count >= 1 && count <= 10_000, 'usage-invalid', 'Offer between 1 and 10,000 transport keys at a time.')
  const now = clock.now()
  const kids = await store.change(async (tx) => {
    const made: string[] = []
    while (made.length < count) {
      const key = await makeTransportKey(tx, sealer, now, 'envelope')
      const kid = thumbprint(key)
      await receipts.append(tx, now, { type: 'envelope-key-offered', kid, key })
      made.push(kid)
    }
    return made
  })
  await markHighwater(context)
  return kids
}

/** Erases a transport key that was kept for an envelope: from now on the envelope opens for nobody. Code `key-unknown`. */
export async function cancelEnvelopeKey(context: Context, kid: string): Promise<void> {
  const { store, receipts, clock } = context
  await store.change(async (tx) => {
    const kept = await tx.get("SELECT 1 FROM own_keys WHERE use = 'envelope' AND kid = ? AND sealed IS NOT NULL", kid)
    must(kept, 'key-unknown', 'This runtime keeps no such transport key for an envelope.')
    await eraseTransportKey(tx, kid, clock.now())
    await receipts.append(tx, clock.now(), { type: 'transport-key-erased', key: kid })
  })
  await markHighwater(context)
}

const KEEP_PRIVATE = `
INSERT INTO private_keys (kid, tenant, sealed) VALUES (?, ?, ?)
ON CONFLICT (kid) DO UPDATE SET sealed = excluded.sealed`

export type Opened = { number: number; tenant: string; standby: string; withdrawn: string; residualUntil: number }

/**
 * Opens an envelope: the named key (the one that signs, unless told) is withdrawn for good, and the standby key signs
 * from now on. Codes of `openEnvelope` and `checkBinding`; `tenant-unknown`, `key-unknown`, `decryption-failed` for an
 * envelope that was used or cancelled, `key-refused`, `bundle-refused` where the runtime's bundle does not know the
 * standby key.
 */
export async function openEmergency(
  context: Context,
  path: string,
  { withdraw, actor }: { withdraw: string | null; actor: string },
): Promise<Opened> {
  const { anchor, config, store, sealer, receipts, clock } = context
  const lines = Array.from(readLinesGuarded(path, ENVELOPE_CAPS), fromUtf8)
  const { envelope, sealed } = await openEnvelope(lines, anchor)
  const now = clock.now()
  checkBinding(context, envelope, now)
  const unseal = await openTransportKey(store, sealer, envelope.transportKey, 'envelope')
  const state = await servedTenant(store, envelope.tenant)
  const standby = standbyIn(state, envelope)
  const gone = withdraw ?? signerOf(state, envelope, await servedTime(context, store))
  must(envelope.withdraws.includes(gone), 'key-unknown', `This envelope does not let the key ${gone} be withdrawn.`)
  const binding = envelopeBinding(envelope)
  const typ = materialTyp(config.practice)
  const pkcs8 = await openSealed(sealed, { typ, kid: envelope.transportKey, key: unseal, binding })
  let residualUntil: number
  try {
    mustMatch(standby, envelope.tenant, pkcs8)
    // First, so that after a power cut the envelope still opens, and no receipt says of a key that it was withdrawn when it was not.
    const tainted = await taint(context, envelope.tenant, gone, { withdraw: true, actor })
    residualUntil = tainted.residualUntil
    const row = sealer.sealKey(envelope.tenant, standby.kid, state.dataKey, pkcs8)
    await store.change(async (tx) => {
      const { number, tenant, transportKey } = envelope
      must(await eraseTransportKey(tx, transportKey, now), 'decryption-failed', 'This envelope was used before.')
      await tx.run(KEEP_PRIVATE, standby.kid, tenant, row)
      await tx.run('UPDATE keys SET called_at = ? WHERE kid = ?', await servedTime(context, tx), standby.kid)
      await touch(tx, tenant, { due: true })
      await receipts.append(tx, now, {
        type: 'envelope-opened',
        number,
        tenant,
        kid: standby.kid,
        withdrawn: gone,
        actor,
      })
      await receipts.append(tx, now, { type: 'transport-key-erased', key: envelope.transportKey })
    })
  } finally {
    wipe(pkcs8)
  }
  await settle(context)
  await markHighwater(context)
  return { number: envelope.number, tenant: envelope.tenant, standby: standby.kid, withdrawn: gone, residualUntil }
}

function standbyIn({ entry, facts, tenant }: TenantState, { standby }: Envelope) {
  const key = entry.keys.find((one) => one.kid === standby)
  must(key, 'bundle-refused', `The bundle of this runtime does not know the standby key of ${tenant}.`, {
    hint: 'Import the newest bundle first.',
  })
  must(!facts(standby).tainted, 'key-refused', `The standby key of ${tenant} is tainted or destroyed.`)
  return key
}

/** The key that signs for the standby's algorithm; during an outage the operator has to name one. */
function signerOf(state: TenantState, { standby, withdraws }: Envelope, now: number): string {
  const spec = state.entry.keys.find((key) => key.kid === standby)?.spec
  const signer = spec && signersAt(state, now).get(KEY_SPECS[spec].alg)
  must(signer, 'key-unknown', `No key of ${state.tenant} signs now: name the one to withdraw.`, {
    hint: `One of: ${withdraws.join(', ')}`,
  })
  return signer.kid
}
