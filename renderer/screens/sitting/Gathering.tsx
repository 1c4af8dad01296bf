import { useState } from 'react'
import type { Sitting } from '../../../shared/contract/sitting.ts'
import { Button } from '../../components/Button.tsx'
import { Choice } from '../../components/Choice.tsx'
import { classes } from '../../components/classes.ts'
import { Page } from '../../components/Page.tsx'
import { SecretField } from '../../components/SecretField.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { Act, Refused, useFocusBack, Waiting } from './act.tsx'
import { useCalling } from './calling.ts'
import { nameOf, optionsOf } from './people.ts'
import { Seats } from './Seats.tsx'
import css from './sitting.module.css'

const words = text.sitting.gathering
type Props = { sitting: Sitting }

/** People come to the keyboard one after another, until enough of them are here. */
export function Gathering({ sitting }: Props) {
  const { kind, alone, people } = sitting
  if (sitting.doing === 'rehearse')
    return <Played sitting={sitting} title={words.rehearseTitle} lead={words.rehearseLead} />
  if (kind === 'genesis' && sitting.doing === 'hold')
    return <Played sitting={sitting} title={words.genesisTitle} lead={words.genesisLead} />
  const title = alone === null ? words.title : words.aloneTitle(nameOf(people, alone))
  return (
    <Page title={title} lead={alone === null ? words.lead : words.aloneLead} subject="gathering">
      {alone === null && <Seats sitting={sitting} />}
      <Arriving sitting={sitting} />
      <Begin sitting={sitting} />
    </Page>
  )
}

/** Nobody is asked in: everybody is new, or it is a rehearsal. */
function Played({ sitting, title, lead }: Props & { title: string; lead: string }) {
  return (
    <Page title={title} lead={lead} subject="gathering">
      <h2 className={css.listTitle}>{words.whoPlays}</h2>
      <ul className={css.people}>
        {optionsOf(sitting.people).map(({ value, label }) => (
          <li key={value}>{label}</li>
        ))}
      </ul>
      <Begin sitting={sitting} />
    </Page>
  )
}

/** One person chosen, one passphrase field. */
function Arriving({ sitting: { people, alone } }: Props) {
  const { call } = useKeyrite()
  const coming = people.filter(({ id, hereSince, leftOut }) => {
    return hereSince === null && !leftOut && (alone === null || alone === id)
  })
  const [chosen, setChosen] = useState<string | null>(null)
  const next = coming.find(({ id }) => id === chosen) ?? coming[0]
  const { run, pending, failure } = useCalling((passphrase: string) =>
    call('arrive', { person: next?.id ?? '', passphrase }),
  )
  const fields = useFocusBack(pending)
  const out = people.filter(({ leftOut }) => leftOut)
  return (
    <div ref={fields} className={classes(css.form, css.after)}>
      {out.map(({ id, name }) => (
        <p key={id} className={css.problem} role="alert">
          {words.leftOut(name)}
        </p>
      ))}
      {next ? (
        <>
          {alone === null && (
            <Choice
              label={words.chooser}
              options={optionsOf(coming)}
              value={next.id}
              onChange={setChosen}
              look="select"
              disabled={pending}
            />
          )}
          <SecretField
            label={words.passphrase(next.name)}
            action={words.comeIn}
            onSubmit={run}
            pending={pending}
            error={failure?.code === 'passphrase-wrong' ? failure.message : undefined}
          />
          <Refused failure={failure?.code === 'passphrase-wrong' ? null : failure} />
          <Waiting when={pending}>{words.opening(next.name)}</Waiting>
        </>
      ) : (
        <p>{out.length === 0 ? words.everybody : words.everybodyElse}</p>
      )}
    </div>
  )
}

function Begin({ sitting }: Props) {
  const { call } = useKeyrite()
  const { run, pending, failure } = useCalling(() => call('begin', {}))
  const { people, threshold, alone, canBegin } = sitting
  const custodians = people.filter(({ role }) => role === 'custodian')
  const missing = threshold - custodians.filter(({ hereSince }) => hereSince !== null).length
  const possible = custodians.filter(({ leftOut }) => !leftOut).length
  const waits =
    alone === null ? (missing > 0 ? words.waitsFor(missing) : words.waits) : words.waitsAlone(nameOf(people, alone))
  return (
    <>
      {alone === null && possible < threshold && !canBegin && (
        <p className={css.problem} role="alert">
          {words.cannotBegin(threshold, possible)}
        </p>
      )}
      <Refused failure={failure} />
      <Act>
        <Button kind="filled" onPress={() => run('')} pending={pending} waitsFor={canBegin ? undefined : waits}>
          {words.begin}
        </Button>
      </Act>
    </>
  )
}
