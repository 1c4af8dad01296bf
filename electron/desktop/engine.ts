import { createApp } from '../app/app.ts'
import { type ParentPort, runEngine } from './engine-process.ts'

/** The utility process in which vaults are opened and ceremonies are held. It ends with the window. */

const { parentPort } = process as unknown as { parentPort: ParentPort }
runEngine(parentPort, createApp, (status) => process.exit(status))
