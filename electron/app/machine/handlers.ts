import type { Handlers } from '../../../shared/contract/contract.ts'
import type { MACHINE_METHODS } from '../../../shared/contract/machine.ts'
import type { AppContext } from '../context.ts'
import { inspectFile } from './inspect.ts'
import { choose, foldersIn, mediaHere } from './media.ts'
import { filesOn } from './medium-files.ts'
import { framesOf, takeFrames } from './qr.ts'
import { checkMachine } from './readiness.ts'
import { letGo } from './unmount.ts'
import { machineNow } from './watch.ts'

/** The machine, its media and the files on them. */
export function machineHandlers(app: AppContext): Pick<Handlers, keyof typeof MACHINE_METHODS> {
  return {
    machine: () => machineNow(app),
    readiness: () => checkMachine(app),
    media: async () => ({ media: await mediaHere(app.medium), chosen: app.medium }),
    folders: ({ folder }) => foldersIn(folder ?? app.home),
    chooseMedium: ({ folder }) => choose(app, folder),
    files: () => filesOn(app),
    inspect: ({ name }) => inspectFile(app, name),
    unmount: () => letGo(app),
    qrFrames: ({ name }) => framesOf(app, name),
    takeQr: ({ frames }) => takeFrames(app, frames),
    camera: ({ on }) => {
      app.camera = on
      return {}
    },
  }
}
