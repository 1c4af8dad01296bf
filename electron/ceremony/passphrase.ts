import { isKeyriteError, must } from '../../shared/errors.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { type Context, closing, type Outcome } from './context.ts'
import type { Ports, VaultPort } from './ports.ts'

/** One person changes their passphrase. Nobody else is needed, and nobody else is bound by it. */

/** Only the person themselves is there: they alone sign the record. Codes `people-invalid`, `ceremony-conflict`. */
export function mustBeAlone(vault: Pick<VaultPort, 'roster' | 'present'>, { person }: PlanOf<'passphrase'>): void {
  must(
    vault.roster.people.some(({ id }) => id === person),
    'people-invalid',
    `${person} is not a person of this vault.`,
  )
  must(
    vault.present.has(person),
    'passphrase-missing',
    `${person} must open the vault with the passphrase that is in force.`,
  )
  must(
    vault.present.size === 1,
    'ceremony-conflict',
    `Only ${person} changes this passphrase and signs the record, but others opened the vault with them.`,
    { hint: 'Open the vault with this one passphrase alone.' },
  )
}

export async function changePassphrase(context: Context): Promise<Outcome> {
  const { person } = context.plan as PlanOf<'passphrase'>
  const { vault, ports } = context
  const observed = `${person} has a new passphrase, which nobody else in this vault has. The keys stay the same. Older copies of people.json stay open copies: the old passphrase still opens them.`
  await untilStrong(ports, async () => {
    const passphrase = await ports.desk.secret('new passphrase', person, 'new passphrase')
    await vault.changePassphrase(person, passphrase, [closing(context, observed)], ports.now())
  })
  return { observed, committed: true }
}

/** A weak passphrase is told and asked for again, where somebody is there to be asked. */
export async function untilStrong<T>({ desk, say }: Pick<Ports, 'desk' | 'say'>, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (desk.automated || !isKeyriteError(error, 'passphrase-weak')) throw error
      say(`  ${error.message} ${error.hint}`)
    }
  }
}
