import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { problemsOf } from '../../electron/app/plan/problems.ts'
import { built } from '../../electron/cli/ceremony/plan.ts'
import { spellQuestions } from '../../electron/cli/plan-questions/answers.ts'
import { QUESTIONS } from '../../electron/cli/plan-questions/kinds.ts'
import type { Prompter } from '../../electron/cli/terminal/prompter.ts'
import { CEREMONY_KINDS } from '../../shared/domain/events.ts'
import { SCRIPTS } from '../../shared/domain/script.ts'
import { hexGroups, words } from '../../shared/formats/fingerprint.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { renderScript, scriptLines } from '../../shared/pages/script-page.ts'
import { type Genesis, makeGenesis, type Room, tenantPlan, writePassphrases } from '../ceremony/fixtures.ts'
import { answerOf, keyrite } from './run.ts'
import { type Line, Script } from './terminal/script.ts'

/** `ceremony plan | lint | print`: what is done at a desk before people are called together. */

const SAMPLES = join(import.meta.dirname, '../../docs/plans')
const samples = readdirSync(SAMPLES).filter((name) => name.endsWith('.json'))
const sample = (name: string): string => readFileSync(join(SAMPLES, name), 'utf8')

let folder: string
let genesis: Genesis
let room: Room
let passphrases: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyrite-plan-'))
  genesis = await makeGenesis(Math.floor(Date.now() / 1000) - 86_400)
  room = genesis.room()
  await room.onboard(tenantPlan('acme', { specs: ['Ed25519'] }))
  passphrases = writePassphrases(join(room.base, 'passphrases'), ['ada', 'blaise'])
})
afterAll(() => {
  rmSync(folder, { recursive: true })
  genesis.remove()
})

/** Answers whatever a check accepts; says yes to each question once. */
function obliging(): Prompter {
  const tried = [
    'A few words',
    'acme',
    '90d',
    '5',
    'A'.repeat(43),
    'file.json',
    '0'.repeat(64),
    'https://acme.example',
    '',
  ]
  const said = new Set<string>()
  return {
    say: () => {},
    reveal: async () => {},
    line: async (_, { check } = {}) => tried.find((one) => check?.(one) === undefined) ?? '',
    secret: async () => '',
    yes: async (question) => !said.has(question) && Boolean(said.add(question)),
    choose: async (_, choices) => choices[0]?.value as never,
    several: async (_, choices) => [choices[0]?.value as never],
  }
}

describe('ceremony plan', () => {
  it.each(CEREMONY_KINDS)('%s: there are questions, and their answers make a plan', async (kind) => {
    expect(Object.keys(QUESTIONS)).toContain(kind)
    const content = await built(obliging(), kind, null)
    expect(parsePlan(content).plan.kind).toBe(kind)
    expect(content.endsWith('}\n')).toBe(true)
  })

  it('tenants, keys and runtimes are chosen from the vault', async () => {
    const known = await room.withVault(({ state, roster }) => ({ state, roster }))
    const [kid = ''] = known.state.keys.keys()
    const lines: Line[] = [
      ['What is to be destroyed', 'Certain keys'],
      ['Which keys', [kid]],
      ['Why', 'End of schedule'],
      ['Does somebody attest', true],
      ['Which copy', 'runtime:eu-one'],
      ['Who attests', 'emmy'],
      ['In their words', 'No snapshot exists'],
      ['Does somebody attest', false],
    ]
    const script = new Script(lines)
    const plan = JSON.parse(await built(script, 'destroy', known))
    expect(plan).toMatchObject({ keys: [kid], attestations: [{ by: 'emmy' }] })
    expect(script.left).toBe(0)
  })

  it.each([
    ['quarterly', '90d'],
    ['monthly', '30d'],
    ['on demand', '365d'],
  ])(
    'the preset %s makes a policy that can be scheduled',
    async (preset, rotationInterval) => {
      const lines: Line[] = [
        ['id of the tenant', 'acme'],
        ['customer already', 'Yes: a tenant with a name'],
        ['Its name', 'Acme'],
        ['issuer URL', 'https://acme.example'],
        ['signing algorithms', ['ES256']],
        ['How do its keys rotate', preset],
        ['relying party', false],
        ['Another tenant', false],
        ['Roll dice', false],
      ]
      const text = await built(new Script(lines), 'onboard', null)
      expect(JSON.parse(text).tenants[0].policy).toMatchObject({ rotationInterval, signingAlgorithms: ['ES256'] })
      const file = join(folder, `${preset.replace(' ', '-')}.json`)
      writeFileSync(file, text.replaceAll('acme', 'preset'))
      const ran = await keyrite([
        'ceremony',
        'lint',
        file,
        '--vault',
        room.vault,
        '--passphrases',
        passphrases,
        '--json',
      ])
      expect(answerOf(ran)).toMatchObject({ ok: true, data: { said: expect.stringContaining('1 new tenant') } })
    },
    60_000,
  )

  it('with --no-input it fails with what it would ask, and writes nothing', async () => {
    const out = join(folder, 'none.json')
    const ran = await keyrite(['ceremony', 'plan', 'handoff', '--out', out, '--no-input', '--json'])
    const { error } = answerOf(ran)
    expect([ran.status, error.code, existsSync(out)]).toEqual([4, 'passphrase-missing', false])
    for (const question of spellQuestions(QUESTIONS.handoff)) expect(error.message).toContain(question)
  })

  it('never overwrites, and an unknown kind is named with those there are', async () => {
    const out = join(folder, 'there.json')
    writeFileSync(out, 'mine')
    const taken = await keyrite(['ceremony', 'plan', 'handoff', '--out', out, '--json'])
    expect([taken.status, answerOf(taken).error.code, readFileSync(out, 'utf8')]).toEqual([5, 'file-exists', 'mine'])
    const unknown = await keyrite(['ceremony', 'plan', 'party', '--json'])
    expect([unknown.status, answerOf(unknown).error.message]).toEqual([2, expect.stringContaining('inventory')])
  })
})

describe('ceremony lint, the form: plain words and the line', () => {
  it.each(samples)('the sample %s has no problem', (name) => {
    expect(problemsOf(sample(name))).toEqual([])
  })

  const KID = 'A'.repeat(43)
  it.each([
    ['an unknown kind', '{\n  "kind": "rotat"\n}', 2, /no kind of ceremony.*Did you mean “rotate”\?/],
    ['no kind', '{\n  "reason": "x"\n}', 1, /“kind” is missing/],
    ['an unknown member', '{\n"kind":"inventory",\n"force":true}', 3, /“force” is not known/],
    [
      'a misspelt member',
      '{"kind":"rotate","tenants":"all",\n"endingwithin":"9d"}',
      2,
      /Did you mean “endingWithin”\?/,
    ],
    [
      'a misspelt member deep inside',
      '{"kind":"onboard","tenants":[{"tenant":"a","name":"A","issuer":"https://a.example",\n"policy":{\n"rotationIntervall":"90d"}}]}',
      3,
      /“rotationIntervall” is not known in “tenants”, number 1, “policy”.*“rotationInterval”/,
    ],
    ['a missing member', `{"kind":"destroy","keys":["${KID}"]}`, 1, /“reason” is missing/],
    ['a wrong type', '{"kind":"genesis",\n"practice":"yes"}', 2, /“practice” must be true or false/],
    ['a wrong choice', '{"kind":"genesis","people":[\n{"id":"a","name":"A","role":"custodan"}]}', 2, /“custodian”\?/],
    ['a duration without a unit', '{"kind":"handoff","runtime":"a","tenants":"all",\n"validFor":"7"}', 2, /like 90d/],
    ['half a key id', '{"kind":"destroy","reason":"because",\n"keys":["abcd"]}', 2, /whole key id/],
    ['an id with capitals', '{"kind":"passphrase",\n"person":"Ada"}', 2, /lower-case letters/],
    ['a member that stands twice', '{"kind":"inventory",\n"kind":"inventory"}', 2, /“kind” stands twice/],
    ['a missing comma', '{\n"kind": "rotate"\n"tenants": "all"}', 3, /comma .* missing/],
    ['a comma too many', '{"kind":"inventory",\n}', 2, /comma before is one too many/],
    ['a file that ends too early', '{"kind":"rotate","tenants":[\n"acme"', 2, /missing/],
    ['a list', '[]', 1, /an object in \{ \}/],
  ])('%s', (_, text, line, message) => {
    const found = problemsOf(text)
    expect(found.filter((one) => one.line === line && message.test(one.message))).toHaveLength(1)
    for (const one of found) expect(one.message).not.toMatch(/expected|received|undefined|invalid|regex|pattern/i)
  })
})

describe('ceremony lint, the command', () => {
  const lint = (text: string, ...more: string[]) => {
    const file = join(folder, 'lint.json')
    writeFileSync(file, text)
    return keyrite(['ceremony', 'lint', file, ...more])
  }
  const against = () => ['--vault', room.vault, '--passphrases', passphrases]

  it('a plan that is one: exit 0', async () => {
    const ran = await lint(sample('rotate.json'))
    expect([ran.status, ran.stdout]).toEqual([0, expect.stringContaining('is a plan for rotate')])
  })

  it('a plan with a problem: exit 2, file and line', async () => {
    const ran = await lint('{\n"kind":"rotate"\n}')
    expect([ran.status, ran.stdout]).toEqual([2, expect.stringMatching(/lint\.json:1: “tenants” is missing\.\n$/)])
  })

  it('against the vault: what does not fit is said without running anything, exit 5', async () => {
    const before = room.content()
    const ran = await lint('{"kind":"rotate","tenants":["nobody"]}', ...against())
    expect([ran.status, ran.stdout]).toEqual([5, expect.stringContaining('tenant-unknown')])
    expect(room.content()).toEqual(before)
  })

  it('against the vault: a policy that breaks a rule, exit 2', async () => {
    const plan = { kind: 'onboard', tenants: [tenantPlan('globex', { policy: { propagationTime: '1h' } })] }
    const ran = await lint(JSON.stringify(plan), ...against())
    expect([ran.status, ran.stdout]).toEqual([2, expect.stringContaining('policy-rejected')])
  })
})

describe('ceremony print', () => {
  it.each(samples)('%s: every step with what is read aloud, done and observed, and the digest of the plan', (name) => {
    const read = parsePlan(sample(name))
    for (const page of [scriptLines(read), renderScript(read).replace(/<[^>]+>/g, ' ')]) {
      const text = page
        .replace(/&#39;/g, "'")
        .replace(/&quot;/g, '"')
        .replace(/\s+/g, ' ')
      for (const step of SCRIPTS[read.plan.kind])
        for (const part of [step.title, step.readAloud, step.do, step.observe]) expect(text).toContain(part)
      expect(text).toContain(hexGroups(read.digest).slice(0, 8).join(' '))
      expect(text.match(/Initials/g)).toHaveLength(SCRIPTS[read.plan.kind].length + 1)
      for (const word of words(read.digest)) expect(text).toContain(word)
    }
    expect(
      scriptLines(read)
        .split('\n')
        .filter((line) => line.length > 78),
    ).toEqual([])
  })

  it('as text on stdout, and as a page that is never overwritten', async () => {
    const plan = join(SAMPLES, 'destroy.json')
    const html = join(folder, 'script.html')
    const text = await keyrite(['ceremony', 'print', plan])
    expect([text.status, text.stdout]).toEqual([0, expect.stringContaining('NO WAY BACK AFTER THIS STEP')])
    const made = await keyrite(['ceremony', 'print', plan, '--html', html, '--json'])
    expect([made.status, answerOf(made).ok, readFileSync(html, 'utf8').startsWith('<!doctype html>')]).toEqual([
      0,
      true,
      true,
    ])
    const again = await keyrite(['ceremony', 'print', plan, '--html', html, '--json'])
    expect([again.status, answerOf(again).error.code]).toEqual([5, 'file-exists'])
  })
})
