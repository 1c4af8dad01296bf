import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AppContext } from '../../electron/app/context.ts'
import { machineHandlers } from '../../electron/app/machine/handlers.ts'
import type { Gives, Handlers, Notice, Takes } from '../../shared/contract/contract.ts'
import { METHODS } from '../../shared/contract/contract.ts'
import type { MACHINE_METHODS } from '../../shared/contract/machine.ts'
import { isKeyriteError } from '../../shared/errors.ts'

/** The machine's part of the app on a real folder, without the rest of it. */

type Method = keyof typeof MACHINE_METHODS

export class Bench {
  readonly base = mkdtempSync(join(tmpdir(), 'keyrite-machine-'))
  readonly notices: Notice[] = []
  networks: string[] = []
  readonly app: AppContext
  readonly #handlers: Pick<Handlers, Method>

  constructor(over: Partial<AppContext> = {}) {
    this.app = {
      shell: 'browser',
      home: this.base,
      now: () => Math.floor(Date.now() / 1000),
      elapsed: () => 0,
      networks: () => this.networks,
      tell: (notice) => this.notices.push(notice),
      practice: null,
      view: null,
      medium: this.base,
      camera: false,
      ...over,
    }
    this.#handlers = machineHandlers(this.app)
  }

  /** Calls one method and parses its result as the border does. */
  async call<M extends Method>(method: M, input: Takes<M>): Promise<Gives<M>> {
    const handler = this.#handlers[method] as (input: Takes<M>) => Promise<Gives<M>> | Gives<M>
    return METHODS[method].gives.parse(await handler(input)) as Gives<M>
  }

  /** The code with which a call fails, or `none`. */
  async codeOf<M extends Method>(method: M, input: Takes<M>): Promise<string> {
    try {
      await this.call(method, input)
      return 'none'
    } catch (error) {
      if (isKeyriteError(error)) return error.code
      throw error
    }
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true })
  }
}
