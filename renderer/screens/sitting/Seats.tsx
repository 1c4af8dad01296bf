import type { Sitting } from '../../../shared/contract/sitting.ts'
import { clock } from '../../components/format.ts'
import { Slots, ThresholdMeter } from '../../components/ThresholdMeter.tsx'
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
  return (
    <div>
      <ThresholdMeter
        sentence={words.meter(custodians.length, threshold)}
        enough={text.quorum.enough(holdersOf(sitting), threshold)}
        given={custodians.map((person) => seat(person))}
        need={threshold}
        candidates={coming.map(({ name }) => name)}
      />
      {others.length > 0 && (
        <>
          <h2 className={css.also}>{words.others}</h2>
          <Slots given={others.map((person) => seat(person, text.sitting.role[person.role]))} />
        </>
      )}
    </div>
  )
}

const seat = ({ name, hereSince }: Here, note?: string) => ({
  name: note ? text.sitting.named(name, note) : name,
  said: words.hereSince(clock(hereSince)),
})
