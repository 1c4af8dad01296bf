import { Loading } from '../../app/Loading.tsx'
import { NeedsVault } from '../../app/NeedsVault.tsx'
import { useLoaded } from '../../app/use-loaded.ts'
import { Page } from '../../components/Page.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { KeyList } from './KeyList.tsx'
import { KeyPage } from './KeyPage.tsx'

/** The inventory, or one key of it. */
export function KeysScreen() {
  const { overview } = useKeyrite()
  return overview ? <Inventory /> : <NeedsVault />
}

function Inventory() {
  const { at } = useKeyrite()
  const { value, failure } = useLoaded('keys', {})
  const { kid, tenant, only } = at.screen === 'keys' ? at : {}
  if (!value)
    return (
      <Page title={text.keys.title}>
        <Loading failure={failure} />
      </Page>
    )
  if (kid === undefined) return <KeyList keys={value.keys} tenant={tenant} only={only} key={`${tenant} ${only}`} />
  return <KeyPage shown={value.keys.find((key) => key.kid === kid)} key={kid} />
}
