import { NeedsVault } from '../../app/NeedsVault.tsx'
import { Page } from '../../components/Page.tsx'
import { Tabs } from '../../components/Tabs.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { ControlsTab } from './ControlsTab.tsx'
import { IsolationTab } from './IsolationTab.tsx'
import { PackTab } from './PackTab.tsx'

/** What an auditor can be shown. */
export function EvidenceScreen() {
  const { overview } = useKeyrite()
  if (!overview) return <NeedsVault />
  const { tabs, tabsLabel, title, lead } = text.evidence
  return (
    <Page title={title} lead={lead}>
      <Tabs
        label={tabsLabel}
        tabs={[
          { id: 'isolation', title: tabs.isolation, content: <IsolationTab /> },
          { id: 'controls', title: tabs.controls, content: <ControlsTab /> },
          { id: 'pack', title: tabs.pack, content: <PackTab /> },
        ]}
      />
    </Page>
  )
}
