import { useKeyrite } from '../../state.tsx'
import { RecordList } from './RecordList.tsx'
import { RecordPage } from './RecordPage.tsx'
import { VerifyPage } from './VerifyPage.tsx'

/** What was held: the list, one record, or the verification of a record from elsewhere. */
export function RecordsScreen() {
  const { overview, at } = useKeyrite()
  const { ceremony, verify } = at.screen === 'records' ? at : {}
  if (verify || !overview) return <VerifyPage />
  return ceremony === undefined ? <RecordList /> : <RecordPage ceremony={ceremony} key={ceremony} />
}
