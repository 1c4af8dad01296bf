import { checkTaken, NOT_ATTESTED } from '../../shared/domain/imported.ts'
import { count } from '../../shared/domain/plural.ts'
import { wipe } from '../../shared/formats/bytes.ts'
import { shortHex, thumbprint } from '../../shared/formats/fingerprint.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import type { Context, Outcome } from './context.ts'
import { jobsOf, makeKeys, type TakenKey } from './make-keys.ts'
import type { DeskPort } from './ports.ts'

/** A static key in, for migration: it signs first, and keys made here follow it. */

type Import = PlanOf<'import-key'>

/** A file's password is asked once in a sitting, although its key is read in the check and in two steps. */
const sittings = new WeakMap<DeskPort, Map<string, string>>()

async function passwordOf({ ports: { desk }, actor }: Context, file: string): Promise<string> {
  const known = sittings.get(desk) ?? new Map<string, string>()
  sittings.set(desk, known)
  const password = known.get(file) ?? (await desk.secret(`password of ${file}`, actor, 'password'))
  known.set(file, password)
  return password
}

/** Reads the keys of the plan and checks them against the vault for the length of `work`; then they are wiped. */
async function withKeys<T>(context: Context, work: (keys: readonly TakenKey[]) => Promise<T>): Promise<T> {
  const { keys, statement } = context.plan as Import
  const taken: TakenKey[] = []
  try {
    for (const { file, format, spec } of keys) {
      const { jwk, pkcs8 } = await readKey(context, file, { format, spec })
      taken.push({ kid: thumbprint(jwk), jwk, pkcs8, imported: { file, format, statement } })
    }
    const named = taken.flatMap(({ kid, jwk }, at) => {
      const from = keys[at]
      return from ? [{ file: from.file, spec: from.spec, kid, jwk }] : []
    })
    checkTaken(context.vault.state, named)
    return await work(taken)
  } finally {
    wipe(...taken.map(({ pkcs8 }) => pkcs8))
  }
}

async function readKey(context: Context, file: string, want: Omit<Import['keys'][number], 'file'>) {
  try {
    return await context.ports.media.readKey(file, want, () => passwordOf(context, file))
  } catch (error) {
    // A wrong password is asked for again the next time.
    sittings.get(context.ports.desk)?.delete(file)
    throw error
  }
}

/** Takes every decision and reads every key once, without doing anything. */
export async function checkImport(context: Context, now: number): Promise<string> {
  const { jobs } = jobsOf(context, now)
  const taken = await withKeys(context, async (keys) => keys.length)
  return `1 new tenant, ${count(taken, 'key')} to import (${NOT_ATTESTED}), ${count(jobs.length, 'key')} to make.`
}

export const readKeys = (context: Context): Promise<Outcome> =>
  withKeys(context, async (keys) => ({
    observed: `${count(keys.length, 'key')} read and checked like keys made here: ${describe(keys)}. ${NOT_ATTESTED}.`,
  }))

export const takeKeys = (context: Context): Promise<Outcome> =>
  withKeys(context, async (keys) => {
    const { statement } = context.plan as Import
    const outcome = await makeKeys(context, keys)
    return {
      ...outcome,
      observed: `${count(keys.length, 'key')} taken in, ${NOT_ATTESTED}: ${describe(keys)}. Said of where it comes from: “${statement}” ${outcome.observed}`,
    }
  })

const describe = (keys: readonly TakenKey[]): string =>
  keys.map(({ kid, imported }) => `${imported.file}, key id ${kid} (${shortHex(kid)} …)`).join('; ')
