import type { ReactNode } from 'react'
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from 'react-aria-components'
import { classes } from './classes.ts'
import css from './Tabs.module.css'

export type TabsProps = {
  label: string
  tabs: readonly { id: string; title: string; content: ReactNode }[]
  selected?: string
  onSelect?: (id: string) => void
}

/** Several views of one thing; arrow keys move between them. */
export function Tabs({ label, tabs, selected, onSelect }: TabsProps) {
  return (
    <AriaTabs
      {...(selected === undefined ? {} : { selectedKey: selected })}
      {...(onSelect ? { onSelectionChange: (key: string | number) => onSelect(String(key)) } : {})}
    >
      <TabList aria-label={label} className={classes(css.list)}>
        {tabs.map(({ id, title }) => (
          <Tab key={id} id={id} className={classes(css.tab)}>
            {title}
          </Tab>
        ))}
      </TabList>
      {tabs.map(({ id, content }) => (
        <TabPanel key={id} id={id} className={classes(css.panel)}>
          {content}
        </TabPanel>
      ))}
    </AriaTabs>
  )
}
