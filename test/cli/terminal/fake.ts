import { PassThrough, Writable } from 'node:stream'

/** A terminal of 80 columns and 24 rows whose keys a test presses, and whose screen it reads. */

const KEYS: Record<string, string> = {
  enter: '\r',
  down: '\x1b[B',
  up: '\x1b[A',
  escape: '\x1b',
  'ctrl-c': '\x03',
}

const PATIENCE = 60_000
const ESC = '\x1b'
const SEQUENCE = new RegExp(`${ESC}\\[[0-9;?]*[A-Za-z]`, 'g')
const OTHER_SCREEN = new RegExp(`${ESC}\\[\\?1049h[^${ESC}]*(?:${ESC}(?!\\[\\?1049l)[^${ESC}]*)*`, 'g')

export class FakeTerminal {
  readonly input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => this.input })
  readonly output: Writable & { isTTY: boolean; columns: number; rows: number }
  /** Everything that was ever written, as it came. */
  raw = ''
  #read = 0
  #waiting: (() => void) | null = null

  constructor() {
    const write = (chunk: Buffer, _: unknown, done: () => void) => {
      this.raw += chunk.toString()
      this.#waiting?.()
      done()
    }
    this.output = Object.assign(new Writable({ write }), { isTTY: true, columns: 80, rows: 24 })
  }

  /** What was written without what moves the cursor. */
  get plain(): string {
    return this.raw.replace(SEQUENCE, '')
  }

  /** What stays on the screen and in its history. */
  get lasting(): string {
    return this.raw.replace(OTHER_SCREEN, '').replace(SEQUENCE, '')
  }

  get streams() {
    return { input: this.input, output: this.output }
  }

  /** Waits until this stands on the screen after what was waited for before, then presses keys or types text. */
  async on(text: string, ...keys: string[]): Promise<void> {
    await this.#until(text)
    // The question listens only after it is drawn.
    await new Promise((resolve) => setTimeout(resolve, 20))
    for (const key of keys) {
      this.input.write(KEYS[key] ?? key)
      await new Promise((resolve) => setTimeout(resolve, key === 'escape' ? 80 : 10))
    }
  }

  #until(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`“${text}” never stood on the screen; it ends with:\n${this.raw.slice(-600)}`)),
        PATIENCE,
      )
      const look = () => {
        const at = this.raw.indexOf(text, this.#read)
        if (at < 0) return
        clearTimeout(timer)
        this.#waiting = null
        this.#read = at + text.length
        resolve()
      }
      this.#waiting = look
      look()
    })
  }
}
