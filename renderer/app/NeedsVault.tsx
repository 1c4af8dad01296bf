import { Button } from '../components/Button.tsx'
import { Page } from '../components/Page.tsx'
import { useKeyrite } from '../state.tsx'
import { text } from '../text/index.ts'

/** A screen about an open vault, where none is open. */
export function NeedsVault() {
  const { go } = useKeyrite()
  return (
    <Page title={text.app.needsVault.title} lead={text.app.needsVault.body}>
      <Button kind="filled" onPress={() => go({ screen: 'home' })}>
        {text.app.needsVault.go}
      </Button>
    </Page>
  )
}
