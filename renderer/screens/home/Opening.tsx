import { useState } from 'react'
import type { VaultAtHand } from '../../../shared/contract/home.ts'
import { FolderDialog } from '../../app/FolderDialog.tsx'
import { useAsk } from '../../app/use-ask.ts'
import { Button, Buttons } from '../../components/Button.tsx'
import { Choice } from '../../components/Choice.tsx'
import { FailureNotice, Notice } from '../../components/Notice.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { SecretField } from '../../components/SecretField.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import css from './home.module.css'

const words = text.home.opening

/** The vaults at hand, and opening one with one person's passphrase. */
export function Opening({ wanted }: { wanted: string | undefined }) {
  const { hello, vaults, folder, overview, go } = useKeyrite()
  const [chosen, setChosen] = useState(wanted ?? null)
  const vault = vaults.find((known) => known.folder === chosen) ?? vaults[0]
  if (!vault) return <NoVaults folder={folder ?? hello.home} />
  return (
    <Page title={wanted ? words.open(vault.name) : words.title} lead={words.lead}>
      {!wanted && vaults.length > 1 && (
        <Choice
          label={words.choose}
          look={vaults.length > 6 ? 'select' : 'radio'}
          options={vaults.map(optionOf)}
          value={vault.folder}
          onChange={setChosen}
        />
      )}
      {vault.problem === null ? <OpenOne vault={vault} key={vault.folder} /> : <Unreadable vault={vault} />}
      <Section title={words.or}>
        <OtherWays />
        {overview && wanted && (
          <Button kind="quiet" onPress={() => go({ screen: 'home' })}>
            {words.back(overview.name)}
          </Button>
        )}
      </Section>
    </Page>
  )
}

const optionOf = ({ folder, name, practice, people, threshold, problem }: VaultAtHand) => ({
  value: folder,
  label: practice ? `${name} · ${words.practice}` : name,
  note: problem ?? words.people(people.length, threshold),
})

function Unreadable({ vault }: { vault: VaultAtHand }) {
  return (
    <Notice tone="warn" title={words.problem}>
      <p>{vault.problem}</p>
      <p>
        <code>{vault.folder}</code>
      </p>
    </Notice>
  )
}

function OpenOne({ vault }: { vault: VaultAtHand }) {
  const { call, refresh, go } = useKeyrite()
  const [who, setWho] = useState(vault.people[0]?.id ?? '')
  const { pending, failure, ask } = useAsk()
  const person = vault.people.find(({ id }) => id === who)
  const open = (passphrase: string) =>
    ask(async () => {
      await call('openVault', { folder: vault.folder, person: who, passphrase })
      await refresh()
      go({ screen: 'home' })
    })
  return (
    <div className={css.opener}>
      <Choice
        label={words.who}
        look="select"
        value={who}
        onChange={setWho}
        options={vault.people.map(({ id, name, role }) => ({ value: id, label: name, note: text.app.roles[role] }))}
      />
      <SecretField
        label={words.passphrase(person?.name ?? '')}
        action={words.go}
        onSubmit={open}
        hint={pending ? words.opening : words.hint}
        pending={pending}
      />
      {failure && <FailureNotice failure={failure} />}
    </div>
  )
}

function NoVaults({ folder }: { folder: string }) {
  return (
    <Page title={words.titleNone} lead={words.leadNone(folder)}>
      <OtherWays first />
    </Page>
  )
}

/** A new vault, vaults elsewhere, or a record to verify: none of them needs a vault that is open. */
function OtherWays({ first }: { first?: boolean }) {
  const { go, lookIn, folder, hello } = useKeyrite()
  const [choosing, setChoosing] = useState(false)
  return (
    <Buttons>
      <Button kind={first ? 'filled' : 'plain'} onPress={() => go({ screen: 'plan', start: { kind: 'genesis' } })}>
        {words.create}
      </Button>
      <Button onPress={() => setChoosing(true)}>{words.elsewhere}</Button>
      <Button onPress={() => go({ screen: 'records', verify: true })}>{words.verify}</Button>
      {choosing && (
        <FolderDialog
          title={words.elsewhere.replace('…', '')}
          from={folder ?? hello.home}
          onLeave={() => setChoosing(false)}
          onChoose={(chosen) => {
            lookIn(chosen)
            setChoosing(false)
          }}
        />
      )}
    </Buttons>
  )
}
