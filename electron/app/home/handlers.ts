import packageFile from '../../../package.json' with { type: 'json' }
import type { Handlers } from '../../../shared/contract/contract.ts'
import type { HOME_METHODS } from '../../../shared/contract/home.ts'
import { type AppContext, viewed } from '../context.ts'
import { closeView, openToLook } from './open.ts'
import { overviewOf } from './overview.ts'
import { vaultsIn } from './vaults.ts'

/** Vaults at hand, opening one to look at it, and what it says. */
export function homeHandlers(app: AppContext): Pick<Handlers, keyof typeof HOME_METHODS> {
  return {
    hello: () => ({ version: packageFile.version, shell: app.shell, home: app.home, practice: app.practice }),
    vaults: async ({ folder }) => ({ vaults: await vaultsIn(folder ?? app.home) }),
    openVault: async (wanted) => {
      await openToLook(app, wanted)
      return overviewOf(viewed(app), app.now())
    },
    closeVault: () => {
      closeView(app)
      return {}
    },
    overview: () => overviewOf(viewed(app), app.now()),
  }
}
