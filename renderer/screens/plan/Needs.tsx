import { useEffect, useState } from 'react'
import type { Review } from '../../../shared/contract/plan.ts'
import { Button } from '../../components/Button.tsx'
import { Status } from '../../components/Status.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import css from './plan.module.css'
import { asFailure } from './use-plan.ts'

type NeedsProps = { found: Review }

/** Who must come, by role, and whether a medium must be there. Nobody is known to be here before the ceremony begins. */
export function Needs({ found }: NeedsProps) {
  const { review } = text.plan
  const { people, alone, medium } = found.needs
  const of = (role: 'custodian' | 'compliance' | 'administrator') => people.filter((one) => one.role === role)
  const all = found.kind === 'genesis'
  return (
    <section aria-labelledby="who-is-needed">
      <h2 id="who-is-needed">{review.who}</h2>
      {all && <p className={css.quiet}>{review.everybody}</p>}
      <ul className={css.needs}>
        {alone !== null && people.map(({ id, name }) => <Need key={id} title={name} names={review.alone} />)}
        {alone === null &&
          of('administrator').map(({ id, name }) => <Need key={id} title={name} names={review.role.administrator} />)}
        {alone === null &&
          of('compliance').map(({ id, name }) => <Need key={id} title={name} names={review.role.compliance} />)}
        {alone === null && (
          <Need
            title={all ? review.allOf(found.needs.of) : review.anyOf(found.needs.threshold, found.needs.of)}
            names={of('custodian')
              .map(({ name }) => name)
              .join(', ')}
          />
        )}
        {medium && <Medium />}
      </ul>
    </section>
  )
}

const Need = ({ title, names }: { title: string; names: string }) => (
  <li className={css.need}>
    <span>{title}</span>
    <span className={css.quiet}>{names}</span>
  </li>
)

function Medium() {
  const { go, call } = useKeyrite()
  const [chosen, setChosen] = useState(false)
  useEffect(() => {
    // Where it cannot be told, the way to choose one is offered.
    call('media', {}).then(({ chosen: folder }) => setChosen(folder !== null), asFailure)
  }, [call])
  const { review } = text.plan
  return (
    <li className={css.need}>
      <span>{review.medium}</span>
      {chosen ? (
        <Status kind="done">{review.mediumChosen}</Status>
      ) : (
        <Button kind="link" onPress={() => go({ screen: 'transfer' })}>
          {review.mediumChoose}
        </Button>
      )}
    </li>
  )
}
