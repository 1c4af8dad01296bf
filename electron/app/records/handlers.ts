import type { Handlers } from '../../../shared/contract/contract.ts'
import type { RECORD_METHODS } from '../../../shared/contract/records.ts'
import { controlsOf } from '../../../shared/domain/controls.ts'
import { isolationOf } from '../../../shared/domain/isolation.ts'
import { type AppContext, viewed } from '../context.ts'
import { writeAgain } from './again.ts'
import { verifyOpenVault, verifyRecords } from './checks.ts'
import { buildEvidence, exportRecord } from './keep.ts'
import { keyRows } from './key-rows.ts'
import { recordOf, recordRows } from './list.ts'
import { drawPage } from './pages.ts'

/** What was held, what there is, and what can be shown of it. */
export function recordHandlers(app: AppContext): Pick<Handlers, keyof typeof RECORD_METHODS> {
  const state = () => viewed(app).vault.state
  return {
    records: () => ({ records: recordRows(app) }),
    record: ({ ceremony }) => recordOf(app, ceremony),
    openPage: async (wanted) => ({ ...(await drawPage(app, wanted)), address: null }),
    exportRecord: ({ ceremony }) => ({ folder: exportRecord(app, ceremony) }),
    writeRecord: async ({ ceremony }) => ({ folder: await writeAgain(app, ceremony) }),
    verify: (wanted) => verifyRecords(app, wanted),
    verifyVault: async () => ({ said: await verifyOpenVault(app) }),
    keys: () => ({ keys: keyRows(state(), app.now()) }),
    isolation: () => isolationOf(state()),
    controls: () => {
      const { threshold, shares } = viewed(app).vault.roster
      return { controls: controlsOf(state(), { threshold, custodians: shares.length }, app.now()) }
    },
    buildEvidence: () => buildEvidence(app),
  }
}
