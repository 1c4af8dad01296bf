import { must } from '../../shared/errors.ts'
import type { Context } from './context.ts'

/** Whoever attests something signs the record, so they are on the roster and there. Code `plan-invalid`. */
export function mustBePresent(
  { roster, present }: Pick<Context['vault'], 'roster' | 'present'>,
  by: string,
  what: string,
): void {
  must(
    roster.people.some((person) => person.id === by),
    'plan-invalid',
    `The plan names ${by} as attesting ${what}, but the roster does not know that person.`,
  )
  must(
    present.has(by),
    'plan-invalid',
    `The plan names ${by} as attesting ${what}, but ${by} is not present: whoever attests signs the record and the certificate.`,
  )
}
