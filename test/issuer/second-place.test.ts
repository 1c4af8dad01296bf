import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { isKeyriteError } from '../../shared/errors.ts'
import { makeServing, makeTenant, makeVault } from './fixtures.ts'
import { configure, type Kept, makeKept, opened, REQUEST } from './keeping.ts'

const journalOf = ({ place }: Pick<Kept, 'place'>) => join(place, 'eu-one.journal')
const markOf = ({ place }: Pick<Kept, 'place'>) => join(place, 'eu-one.mark')
const linesOf = (kept: Pick<Kept, 'place'>) => readFileSync(journalOf(kept), 'utf8').trimEnd().split('\n').length

async function refusal(kept: Pick<Kept, 'dir' | 'clock'>): Promise<string> {
  try {
    await (await openRuntime({ dir: kept.dir, clock: kept.clock })).close()
    return 'opened'
  } catch (error) {
    if (!isKeyriteError(error)) throw error
    return `${error.code}: ${error.message}`
  }
}

const kept = async () => makeKept(await makeVault(), [makeTenant('acme')])

describe('the journal at the second place', () => {
  it('begins with everything so far, grows with each change, and tells nothing to who reads it', async () => {
    const made = await kept()
    const before = linesOf(made)
    const { secret } = await made.runtime.clients.add('acme', REQUEST, 'Olga Operator')
    expect(linesOf(made)).toBe(before + 1)
    expect(statSync(journalOf(made)).mode & 0o777).toBe(0o600)
    for (const path of [journalOf(made), markOf(made)]) {
      const content = readFileSync(path, 'utf8')
      for (const word of ['acme', 'Olga', 'client', secret ?? '']) expect(content.includes(word), word).toBe(false)
    }
    expect(await made.runtime.keeping()).toMatchObject({ secondPlace: { folder: made.place, behindSince: null } })
  })

  it('time alone lengthens it by nothing: it stands in the mark', async () => {
    const made = await kept()
    await made.runtime.tick()
    const [size, mark] = [statSync(journalOf(made)).size, readFileSync(markOf(made), 'utf8')]
    made.clock.advance(120)
    await made.runtime.tick()
    expect(statSync(journalOf(made)).size).toBe(size)
    expect(readFileSync(markOf(made), 'utf8')).not.toBe(mark)
  })

  it('what a process did not write before it was ended is written by the next one', async () => {
    const made = await kept()
    const [journal, mark] = [readFileSync(journalOf(made)), readFileSync(markOf(made))]
    await made.runtime.clients.add('acme', REQUEST, 'test')
    const whole = linesOf(made)
    await made.runtime.close()
    writeFileSync(journalOf(made), journal)
    writeFileSync(markOf(made), mark)
    await opened({ dir: made.dir, clock: made.clock })
    expect(linesOf(made)).toBe(whole)
  })

  it.each([1, 40, 200])('a line torn after %d bytes is cut, and written anew', async (length) => {
    const made = await kept()
    await made.runtime.clients.add('acme', REQUEST, 'test')
    const whole = linesOf(made)
    await made.runtime.close()
    appendFileSync(journalOf(made), 'A'.repeat(length))
    const again = await opened({ dir: made.dir, clock: made.clock })
    await again.clients.remove('acme', 'api', 'test')
    expect(linesOf(made)).toBe(whole + 1)
    await again.close()
    expect(await refusal(made)).toBe('opened')
  })

  it('whole lines beyond the mark count: their writer was ended before its mark', async () => {
    const made = await kept()
    const mark = readFileSync(markOf(made))
    await made.runtime.clients.add('acme', REQUEST, 'test')
    const whole = linesOf(made)
    await made.runtime.close()
    writeFileSync(markOf(made), mark)
    await opened({ dir: made.dir, clock: made.clock })
    expect(linesOf(made)).toBe(whole)
    expect(readFileSync(markOf(made)).equals(mark)).toBe(false)
  })

  it.each([
    ['cut off before its mark', (path: string) => truncateSync(path, Math.floor(statSync(path).size / 2))],
    ['with another first line', (path: string) => replaceAt(path, 0)],
    ['gone', (path: string) => rmSync(path)],
  ])('%s: nothing is appended, the change stands, and it is told', async (_what, spoil) => {
    const made = await kept()
    await made.runtime.close()
    spoil(journalOf(made))
    const told: unknown[] = []
    const onSecondPlaceFailure = (error: unknown) => told.push(error)
    const runtime = await opened({ dir: made.dir, clock: made.clock, onSecondPlaceFailure })
    await runtime.clients.add('acme', REQUEST, 'test')
    expect(told.map((error) => isKeyriteError(error) && error.code)).toEqual(['second-place-damaged'])
    expect((await runtime.keeping()).secondPlace?.behindSince).toBe(made.clock.now())
    expect(await runtime.clients.list()).toHaveLength(1)
  })
})

function replaceAt(path: string, where: number): void {
  const bytes = readFileSync(path)
  const at = Math.floor(bytes.length * where)
  bytes[at] = bytes[at] === 0x41 ? 0x42 : 0x41
  writeFileSync(path, bytes)
}

describe('a second place that cannot be written', () => {
  it('holds no change up; it is told once, seen in the status, and made good by a later tick', async () => {
    const made = await kept()
    await made.runtime.close()
    let told = 0
    const runtime = await opened({ dir: made.dir, clock: made.clock, onSecondPlaceFailure: () => void told++ })
    const away = `${made.place}-unmounted`
    renameSync(made.place, away)
    const [key] = (await runtime.status()).tenants[0]?.phases ?? []
    await runtime.taint('acme', key?.kid ?? '', { withdraw: false, actor: 'test' })
    await runtime.clients.add('acme', REQUEST, 'test')
    expect(told).toBe(1)
    expect(existsSync(made.place)).toBe(false)
    expect((await runtime.keeping()).secondPlace?.behindSince).toBe(made.clock.now())
    renameSync(away, made.place)
    await runtime.tick()
    expect((await runtime.keeping()).secondPlace?.behindSince).toBeNull()
    await runtime.close()
    rmSync(join(made.dir, 'highwater.json'))
    expect(await refusal(made)).toBe('opened')
  })
})

describe('a folder without its mark', () => {
  it('gets it anew where the second place shows that the store is not behind', async () => {
    const made = await kept()
    await made.runtime.close()
    const path = join(made.dir, 'highwater.json')
    const before = readFileSync(path, 'utf8')
    rmSync(path)
    expect(await refusal(made)).toBe('opened')
    expect(readFileSync(path, 'utf8')).toBe(before)
  })

  it('does not where the second place is empty, or away, or there is none', async () => {
    const made = await kept()
    await made.runtime.close()
    rmSync(join(made.dir, 'highwater.json'))
    rmSync(journalOf(made))
    rmSync(markOf(made))
    expect(await refusal(made)).toMatch(/^runtime-behind: Nothing shows that this store is the newest/)
    rmSync(made.place, { recursive: true })
    expect(await refusal(made)).toMatch(/^runtime-behind: .*the second place does not help/)
    configure(made.dir, { secondPlace: null })
    expect(await refusal(made)).toMatch(/^runtime-behind/)
  })
})

it('a runtime without a second place is as before', async () => {
  const made = await makeServing(await makeVault(), [makeTenant('acme')])
  expect(await made.runtime.keeping()).toEqual({ secondPlace: null, erased: 0, rotatedAt: null, awaited: null })
})
