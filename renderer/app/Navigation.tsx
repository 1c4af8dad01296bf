import type { VaultAtHand } from '../../shared/contract/home.ts'
import { Button } from '../components/Button.tsx'
import { type NavItem, SideNav, VaultCard } from '../components/Rail.tsx'
import { type Destination, type Theme, useKeyrite } from '../state.tsx'
import { text } from '../text/index.ts'
import css from './app.module.css'

type Screen = Destination['screen']

const WITH_VAULT = ['home', 'records', 'keys', 'people', 'evidence', 'transfer'] as const
const WITHOUT = ['home', 'records', 'transfer'] as const

/** The left column: the vaults at hand, the screens, what may be done here. */
export function Navigation({ screen }: { screen: Screen }) {
  const { overview, go } = useKeyrite()
  const names: Record<string, string> = text.app.screens
  const items: NavItem[] = (overview ? WITH_VAULT : WITHOUT).map((id) => ({
    id,
    name: (id === 'records' && !overview ? text.app.screens.verify : names[id]) ?? id,
  }))
  return (
    <SideNav
      label={text.app.navigation}
      items={items}
      current={screen}
      onGo={(id) => go({ screen: id as (typeof WITH_VAULT)[number] })}
      top={<VaultsAtHand />}
      foot={<Foot />}
    />
  )
}

function VaultsAtHand() {
  const { vaults, overview, go } = useKeyrite()
  return (
    <>
      <span className={css.atHand}>{text.app.vaultsAtHand}</span>
      {vaults.length === 0 && <span className={css.atHand}>{text.app.noVaults}</span>}
      {vaults.slice(0, 6).map((vault) => (
        <VaultCard
          key={vault.folder}
          name={vault.name}
          note={noteOf(vault, overview?.folder === vault.folder ? overview.events : null)}
          practice={vault.practice}
          current={overview?.folder === vault.folder}
          onOpen={() =>
            go(overview?.folder === vault.folder ? { screen: 'home' } : { screen: 'home', open: vault.folder })
          }
        />
      ))}
    </>
  )
}

function noteOf(vault: VaultAtHand, events: number | null): string {
  if (vault.problem) return text.app.unreadable
  if (events !== null) return text.app.openVault(events)
  return vault.practice ? text.app.practice(vault.people.length) : text.app.production(vault.people.length)
}

function Foot() {
  const { overview, call, refresh, go } = useKeyrite()
  const close = async () => {
    await call('closeVault', {})
    await refresh()
    go({ screen: 'home' })
  }
  return (
    <div className={css.side}>
      {overview && (
        <div>
          <h2>{text.app.viewing.title}</h2>
          <p>{text.app.viewing.body(overview.threshold)}</p>
          <Button kind="link" onPress={close}>
            {text.app.viewing.close}
          </Button>
        </div>
      )}
      <ThemeSwitch />
    </div>
  )
}

const THEMES: readonly Theme[] = ['system', 'light', 'dark']

function ThemeSwitch() {
  const { theme, setTheme } = useKeyrite()
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system'
  return (
    <div className={css.theme}>
      <Button kind="link" onPress={() => setTheme(next)}>
        {`${text.app.theme.label}: ${text.app.theme[theme]}`}
      </Button>
    </div>
  )
}
