import { describe, expect, it } from 'vitest'
import { CloseWanted } from '../../../electron/app/hold.ts'
import { TerminalDesk } from '../../../electron/cli/terminal/desk.ts'
import { SCRIPTS } from '../../../shared/domain/script.ts'
import { digest } from '../../../shared/formats/bytes.ts'
import { words } from '../../../shared/formats/fingerprint.ts'
import { failure, PEOPLE, PRESENT } from '../../ceremony/fixtures.ts'
import { CTRL_C, ESC, IDLE, type Line, Script } from './script.ts'

/** The desk at a terminal, with people who answer from a list. */

const NOW = Date.UTC(2026, 5, 9, 14, 19, 30) / 1000
const OF = digest('what is compared')
const WORDS = words(OF)
/** Asks for words 4, 11 and 19: places 3, 10 and 18 of what is left each time. */
const places = () => {
  const taken = [3, 9, 16]
  return () => taken.shift() ?? 0
}

function seated(...lines: Line[]) {
  const script = new Script(lines)
  const desk = new TerminalDesk({
    prompter: script,
    people: () => PEOPLE,
    present: () => PRESENT,
    now: () => NOW,
    random: places(),
  })
  return { script, desk }
}

const word = (place: number): string => WORDS[place - 1] ?? ''
const step = SCRIPTS.destroy.find(({ id }) => id === 'destroy-bytes') ?? SCRIPTS.destroy[0]

describe('comparison by voice: a second person types three asked-for words; a mismatch stops', () => {
  it('the asked-for words are covered, and everything else is shown: hex in groups of four, 24 numbered words', async () => {
    const { script, desk } = seated(
      ['Who follows', 'ada'],
      ['Who types', 'emmy'],
      ['Word 4,', word(4)],
      ['Word 11,', ` ${word(11).toUpperCase()} `],
      ['Word 19,', word(19)],
      ['Do all the other words', true],
    )
    const record = await desk.compare('the fingerprint', OF)
    expect(record).toMatch(/Ada Lovelace followed them, and Emmy Noether typed words 4, 11 and 19 from hearing/)
    const screen = script.said.join('\n')
    expect(screen.match(/\b[0-9A-F]{4}\b/g)).toHaveLength(16)
    for (const [index, shown] of WORDS.entries())
      expect([index, new RegExp(`^.*\\b${index + 1} ${shown}\\b`, 'm').test(screen)]).toEqual([
        index,
        ![3, 10, 18].includes(index),
      ])
  })

  it('a word that no fingerprint has is a slip and asked for again', async () => {
    const { script, desk } = seated(
      ['Who follows', 'ada'],
      ['Who types', 'emmy'],
      ['Word 4,', `${word(4)}x`],
      ['Word 4,', word(4)],
      ['Word 11,', word(11)],
      ['Word 19,', word(19)],
      ['Do all the other words', true],
    )
    await desk.compare('the fingerprint', OF)
    expect(script.said.join('\n')).toContain('No fingerprint has this word')
  })

  it.each([
    [
      'another word of the list',
      [
        ['Who follows', 'ada'],
        ['Who types', 'emmy'],
        ['Word 4,', word(5)],
      ],
    ],
    [
      'a word that differs among those shown',
      [
        ['Who follows', 'ada'],
        ['Who types', 'emmy'],
        ['Word 4,', word(4)],
        ['Word 11,', word(11)],
        ['Word 19,', word(19)],
        ['Do all the other words', false],
      ],
    ],
  ] as [string, Line[]][])('%s: comparison-failed, and nobody is asked whether to go on', async (_, lines) => {
    const { script, desk } = seated(...lines)
    const error = await failure(desk.compare('the fingerprint', OF))
    expect([error.code, error.exit, script.left]).toEqual(['comparison-failed', 4, 0])
    expect(desk.noted()).toMatchObject([{ happened: 'They differ.' }])
  })
})

describe('approvals: each custodian present is asked in turn', () => {
  it('the meter fills: block characters and words', async () => {
    const { script, desk } = seated([/^Ada/, true], [/^Blaise/, true])
    expect(await desk.approve('Make the keys', ['ada', 'blaise', 'clara'], 2)).toEqual(['ada', 'blaise'])
    expect(script.said).toEqual([
      '  ░░ ░░  0 of 2 approvals. 2 more needed.',
      '  ██ ░░  1 of 2 approvals. One more needed.',
      '  ██ ██  2 of 2 approvals. Enough.',
    ])
  })

  it('who does not approve is not counted, and the next custodian is asked', async () => {
    const { desk } = seated([/^Ada/, false], [/^Blaise/, true], [/^Clara/, true])
    expect(await desk.approve('Make the keys', ['ada', 'blaise', 'clara'], 2)).toEqual(['blaise', 'clara'])
  })

  it('with too few it can be asked again, paused or closed; nothing goes on by itself', async () => {
    const { desk } = seated([/^Ada/, true], [/^Blaise/, false], ['Too few approve', 'go'], [/^Blaise/, true])
    expect(await desk.approve('Make the keys', ['ada', 'blaise'], 2)).toEqual(['ada', 'blaise'])
    const other = seated([/^Ada/, false], [/^Blaise/, false], ['Too few approve', 'pause'])
    expect((await failure(other.desk.approve('Make the keys', ['ada', 'blaise'], 2))).code).toBe('ceremony-paused')
  })
})

describe('UTC is confirmed by two different people from their own watches', () => {
  const at = (seconds: number): string => new Date((NOW + seconds) * 1000).toISOString().slice(0, 19)

  it.each([
    ['the same to a minute', 10, 50, 0],
    ['three minutes behind', 170, 190, 180],
    ['an hour ahead', -3600, -3590, -3595],
  ])('a machine that is %s', async (_, first, second, offset) => {
    const { script, desk } = seated(
      ['Who reads', 'ada'],
      ['Ada Lovelace: date', at(first)],
      ['Who reads', 'emmy'],
      ['Emmy Noether: date', at(second).replace('T', ' ')],
    )
    expect(await desk.confirmTime(NOW, PRESENT)).toEqual({ offset, by: ['ada', 'emmy'] })
    expect(script.said.join('\n')).toMatch(/Both watches agree/)
  })

  it('the second person is another one than the first', async () => {
    const { desk } = seated(['Who reads', 'ada'], ['Ada', at(0)], ['Who reads', 'ada'])
    await expect(desk.confirmTime(NOW, PRESENT)).rejects.toThrow(/not ada/)
  })

  it('watches that differ by more than two minutes are read again, and refused after three times: clock-refused', async () => {
    const round: Line[] = [
      ['Who reads', 'ada'],
      ['Ada', at(0)],
      ['Who reads', 'emmy'],
      ['Emmy', at(121)],
    ]
    const { script, desk } = seated(...round, ...round, ...round)
    expect((await failure(desk.confirmTime(NOW, PRESENT))).code).toBe('clock-refused')
    expect(script.left).toBe(0)
  })

  it.each(['14:19', '2026-02-30 10:00', '2026-06-09 25:00', 'now', ''])(
    '“%s” is no time and is asked for again',
    async (typed) => {
      const { desk } = seated(
        ['Who reads', 'ada'],
        ['Ada', typed],
        ['Ada', at(0)],
        ['Who reads', 'emmy'],
        ['Emmy', at(0)],
      )
      expect(await desk.confirmTime(NOW, PRESENT)).toMatchObject({ offset: 0 })
    },
  )
})

describe('the head card is typed as it stands, and the screen never shows what the vault has', () => {
  const kept = { seq: 42, head: '0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9' }

  it('number and first four groups, in any grouping', async () => {
    const { script, desk } = seated(['head card at hand', true], ['Event', '42'], ['Head', '0A1B 2C3D 4E5F 6071'])
    expect(await desk.headCard(kept)).toEqual({ seq: 42, head: '0a1b2c3d4e5f6071' })
    expect(script.said.join('\n')).not.toMatch(/0A1B|42/i)
  })

  it('nobody has one: null, for the record to say so', async () => {
    expect(await seated(['head card at hand', false]).desk.headCard(kept)).toBeNull()
  })

  it('what differs is typed once more and then given as typed: the engine refuses it', async () => {
    const { desk } = seated(
      ['head card at hand', true],
      ['Event', '43'],
      ['Head', '0A1B 2C3D 4E5F 6071'],
      ['Event', '43'],
      ['Head', '0A1B2C3D4E5F6071'],
    )
    expect(await desk.headCard(kept)).toEqual({ seq: 43, head: '0a1b2c3d4e5f6071' })
  })
})

describe('a destruction', () => {
  it('is confirmed by each custodian separately, with exactly the words', async () => {
    const { script, desk } = seated(
      [/^Ada/, 'DESTROY abc'],
      [/^Ada/, 'DESTROY abcd1234'],
      [/^Blaise/, 'DESTROY abcd1234'],
    )
    expect(await desk.confirm('DESTROY abcd1234', ['ada', 'blaise'])).toMatch(/Ada Lovelace and Blaise Pascal/)
    expect(script.said.join('\n')).toContain('Those are other words')
  })

  it('ends after three wrong tries: confirmation-missing', async () => {
    const { desk } = seated([/^Ada/, 'destroy abcd1234'], [/^Ada/, 'yes'], [/^Ada/, ''])
    expect((await failure(desk.confirm('DESTROY abcd1234', ['ada']))).code).toBe('confirmation-missing')
  })

  it('its step says that there is no way back', async () => {
    const { script, desk } = seated(['read aloud', 'go'])
    if (step) await desk.begin(step, { number: 5, of: 11 })
    expect(script.said.join('\n')).toMatch(
      /Step 5 of 11: Erase the vault's copy[\s\S]*Read aloud[\s\S]*No way back after this step/,
    )
  })
})

describe('at any step', () => {
  const deviation: Line[] = [
    ['should have happened', 'The room is quiet'],
    ['What happened', 'A telephone rang'],
    ['done about it', 'It was taken out'],
  ]

  it('deviations are noted before and after, and recorded with the step and its initials', async () => {
    const { desk } = seated(['read aloud', 'deviation'], ...deviation, ['read aloud', 'go'])
    if (step) await desk.begin(step, { number: 1, of: 2 })
    const after = seated(
      ['Is it as it should', 'deviation'],
      ...deviation,
      ['Is it', 'go'],
      ['Initials', 'xx'],
      ['Initials', 'en'],
    )
    const noted = step && (await after.desk.observed(step, 'All is well.'))
    expect(noted).toEqual({
      initials: 'emmy',
      deviations: [{ expected: 'The room is quiet', happened: 'A telephone rang', action: 'It was taken out' }],
    })
    expect(after.script.said.join('\n')).toContain('Initials of somebody present: AL, BP, EN, GH.')
  })

  it('Escape leads to the same ways out and back to the question', async () => {
    const { desk } = seated(
      [/^Ada/, ESC],
      ['What now', 'deviation'],
      ...deviation,
      [/^Ada/, ESC],
      ['What now', 'back'],
      [/^Ada/, true],
    )
    expect(await desk.approve('Make the keys', ['ada'], 1)).toEqual(['ada'])
  })

  it.each([
    ['pause', [['read aloud', 'pause']]],
    ['Ctrl-C', [['read aloud', CTRL_C]]],
    [
      'Escape, then pause',
      [
        ['read aloud', ESC],
        ['What now', 'pause'],
      ],
    ],
    [
      'Escape, then Ctrl-C',
      [
        ['read aloud', ESC],
        ['What now', CTRL_C],
      ],
    ],
  ] as [string, Line[]][])('%s: ceremony-paused, with how to resume', async (_, lines) => {
    const { desk } = seated(...lines)
    const error = await failure(step ? desk.begin(step, { number: 1, of: 2 }) : Promise.resolve())
    expect([error.code, error.exit]).toEqual(['ceremony-paused', 130])
    expect(error.hint).toContain('ceremony resume')
    expect(error).not.toBeInstanceOf(CloseWanted)
  })

  it('ten minutes without a key: paused, and it says that everything was forgotten', async () => {
    const { desk } = seated([/^Ada/, IDLE])
    expect((await failure(desk.approve('Make the keys', ['ada'], 1))).message).toMatch(/ten minutes.*forgotten/)
  })

  it('closing takes a reason', async () => {
    const { desk } = seated([/^Ada/, ESC], ['What now', 'close'], ['Why', ''], ['Why', 'Fire alarm'])
    const error = await failure(desk.approve('Make the keys', ['ada'], 1))
    expect(error).toBeInstanceOf(CloseWanted)
    expect((error as CloseWanted).reason).toBe('Fire alarm')
  })
})

describe('secrets', () => {
  it('a new passphrase is six words, shown for a moment only, and typed back', async () => {
    const six = ({ revealed }: Script) =>
      [...(revealed[0] ?? '').matchAll(/^ {4}\d {2}([a-z]+)$/gm)].map(([, one = '']) => one)
    const { script, desk } = seated(
      ['six generated words', true],
      ['type the six', 'something else'],
      ['not the words', true],
      ['type the six', (script) => ` ${six(script).join('  ').toUpperCase()} `],
    )
    const passphrase = await desk.secret('New passphrase', 'ada', 'new passphrase')
    expect([passphrase, script.revealed[1]]).toEqual([six(script).join(' '), script.revealed[0]])
    expect(six(script)).toHaveLength(6)
    for (const one of six(script)) expect(script.said.join('\n')).not.toMatch(new RegExp(`\\b${one}\\b`))
  })

  it("one's own is typed twice, and a weak one is refused with the reason", async () => {
    const { script, desk } = seated(
      ['six generated words', false],
      ['Ada Lovelace, custodian: your passphrase', 'short'],
      ['your passphrase', 'a passphrase that is long enough'],
      ['once more', 'another one'],
      ['your passphrase', 'a passphrase that is long enough'],
      ['once more', 'a passphrase that is long enough'],
    )
    expect(await desk.secret('New passphrase', 'ada', 'new passphrase')).toBe('a passphrase that is long enough')
    expect(script.said.join('\n')).toMatch(/too weak[\s\S]*The two differ/)
  })

  it('rolls of dice are typed until there are enough, and counted', async () => {
    const { script, desk } = seated(['0 of 10', '123 456'], ['6 of 10', '7'], ['6 of 10', '6543'])
    expect(await desk.dice(10)).toBe('1234566543')
    expect(script.said.join('\n')).toContain('Dice show 1 to 6')
  })
})

it('each participant agrees, or does not and says why', async () => {
  const { script, desk } = seated([/^Ada/, true], [/^Emmy/, false], ['Why not', 'I came late'])
  expect(await desk.agrees('ada', OF)).toEqual({ agrees: true })
  expect(await desk.agrees('emmy', OF)).toEqual({ agrees: false, reason: 'I came late' })
  expect(script.said.join('\n').match(/\b[0-9A-F]{4}\b/g)).toHaveLength(16)
})
