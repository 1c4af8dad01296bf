import type { Sitting } from '../../../shared/contract/sitting.ts'
import { classes } from '../../components/classes.ts'
import { clock } from '../../components/format.ts'
import { Status } from '../../components/Status.tsx'
import { text } from '../../text/index.ts'
import { holdersOf } from './people.ts'
import css from './Seats.module.css'

const words = text.sitting.gathering
type Seated = Sitting['people'][number]
type Here = Omit<Seated, 'hereSince'> & { hereSince: number }

const isHere = (person: Seated): person is Here => person.hereSince !== null

/** The meter that fills as custodians come in, and everybody else who is here. */
export function Seats({ sitting }: { sitting: Sitting }) {
  const { people, threshold } = sitting
  const here = people.filter(isHere)
  const custodians = here.filter(({ role }) => role === 'custodian')
  const others = here.filter(({ role }) => role !== 'custodian')
  const coming = people.filter((one) => one.role === 'custodian' && !isHere(one) && !one.leftOut)
  const open = Array.from({ length: Math.max(0, threshold - custodians.length) }, (_, index) => index)
  return (
    <div>
      <p className={css.head} role="status">
        <span className={css.sentence}>{words.meter(custodians.length, threshold)}</span>
        <span className={css.enough}>{text.quorum.enough(holdersOf(sitting), threshold)}</span>
      </p>
      <ol className={css.slots}>
        {custodians.map((person) => (
          <Slot key={person.id} person={person} />
        ))}
        {open.map((index) => (
          <li key={index} className={css.slot}>
            <span className={css.name}>{index === 0 ? text.quorum.oneMore : text.quorum.thenOneMore}</span>
            <Status kind="waiting">{text.quorum.anyOf(coming.map(({ name }) => name))}</Status>
          </li>
        ))}
      </ol>
      {others.length > 0 && (
        <>
          <h2 className={css.also}>{words.others}</h2>
          <ol className={css.slots}>
            {others.map((person) => (
              <Slot key={person.id} person={person} note={text.sitting.role[person.role]} />
            ))}
          </ol>
        </>
      )}
    </div>
  )
}

const Slot = ({ person: { name, hereSince }, note }: { person: Here; note?: string }) => (
  <li className={classes(css.slot, css.solid)}>
    <span className={css.name}>{note ? text.sitting.named(name, note) : name}</span>
    <Status kind="done">{words.hereSince(clock(hereSince))}</Status>
  </li>
)
