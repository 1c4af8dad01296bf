import { contextBridge, type IpcRendererEvent, ipcRenderer } from 'electron'
import type { Notice } from '../../shared/contract/contract.ts'

/** What the screens see of Electron: one function for each method of the contract, and the notices. Nothing else. */

/** Filled in by the build from the contract and ipc.ts, so that nothing of theirs is loaded beside a page. */
declare const METHODS: readonly string[]
declare const CALL: string
declare const NOTICE: string

const calls = METHODS.map((method) => [method, (input: unknown) => ipcRenderer.invoke(CALL, method, input)])
const onNotice = (listener: (notice: Notice) => void): (() => void) => {
  const heard = (_event: IpcRendererEvent, notice: Notice) => listener(notice)
  ipcRenderer.on(NOTICE, heard)
  return () => {
    ipcRenderer.off(NOTICE, heard)
  }
}
contextBridge.exposeInMainWorld('keyrite', Object.freeze({ ...Object.fromEntries(calls), onNotice }))
