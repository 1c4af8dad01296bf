import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { GENESIS, PEOPLE } from '../ceremony/fixtures.ts'
import { answerOf, keyrite } from './run.ts'

/** People on the command line: a share on a medium, a new passphrase, another list, the status, and a new root. */

let base: string
const at = (...names: string[]) => join(base, ...names)
const secret = (folder: string, name: string, value: string) =>
  writeFileSync(at(folder, name), `${value}\n`, { mode: 0o600 })
const passphrase = (id: string) => `canary passphrase of ${id} 7194`
const plan = (content: { kind: string }): string => {
  writeFileSync(at(`${content.kind}.json`), JSON.stringify(content))
  return at(`${content.kind}.json`)
}
const vault = () => ['--vault', at('test.vault'), '--passphrases', at('passphrases')]
const room = () => [...vault(), '--media', at('media'), '--shares', at('usb'), '--secrets', at('secrets')]
async function run(content: { kind: string }, ...more: string[]) {
  return answerOf(await keyrite(['ceremony', 'run', ...room(), ...more, plan(content), '--json']))
}

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'keyrite-people-'))
  for (const name of ['passphrases', 'secrets', 'media']) mkdirSync(at(name), { mode: 0o700 })
  for (const { id } of PEOPLE) secret('passphrases', id, passphrase(id))
  secret('secrets', 'new-passphrase-ada', 'quite another one of ada 88')
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

const people = PEOPLE.map((person) => ({ ...person, ...(person.id === 'clara' && { share: 'medium' }) }))

const RUNTIME = ['--runtime-id', 'r1', '--environment', 'rehearsal', '--practice']
const runtime = async (...words: string[]) =>
  answerOf(await keyrite(['issuer', ...words, '--dir', at('runtime'), '--json']))

/** `issuer repin`: only with the fingerprint that is read aloud; another one changes nothing. */
async function repinned(anchor: string): Promise<void> {
  const repin = (hex: string) => runtime('repin', at('media', anchor), '--fingerprint', hex)
  expect(await repin('0'.repeat(64))).toMatchObject({ ok: false, error: { code: 'comparison-failed' } })
  const head = answerOf(await keyrite(['vault', 'head', ...vault(), '--json']))
  const { rootHex } = head.data as { rootHex: string[] }
  expect(await repin(rootHex.join(' '))).toMatchObject({ ok: true })
}

it('genesis, passphrase, custody, root-rotate, repinning, and what status says of them', async () => {
  expect(await run({ ...GENESIS, people } as { kind: string })).toMatchObject({ ok: true })
  expect(readdirSync(at('usb'))).toEqual([expect.stringMatching(/\.share$/)])

  const change = { kind: 'passphrase', person: 'ada' }
  expect(await run(change)).toMatchObject({ ok: true })
  secret('passphrases', 'ada', 'quite another one of ada 88')

  secret('passphrases', 'dai', passphrase('dai'))
  const dai = { id: 'dai', name: 'Dai Tanaka', role: 'custodian' }
  const custody = {
    kind: 'custody',
    reason: 'Blaise leaves',
    threshold: 2,
    people: [...people.filter(({ id }) => id !== 'blaise'), dai],
  }
  expect(await run(custody)).toMatchObject({ ok: false, error: { code: 'vault-tail' } })
  const changed = await run(custody, '--accept-tail')
  expect(changed, JSON.stringify(changed)).toMatchObject({ ok: true })

  const [old = ''] = readdirSync(at('media'))
  expect(
    await runtime('init', '--trust-anchor', at('media', old), ...RUNTIME, '--enrollment', at('usb')),
  ).toMatchObject({ ok: true })
  expect(
    await run({ kind: 'root-rotate', reason: 'A stolen laptop', compromised: true } as { kind: string }),
  ).toMatchObject({ ok: true })
  const media = readdirSync(at('media'))
  expect(media.map((name) => name.split('-')[0]).sort()).toEqual(['succession', 'trust', 'trust'])
  await repinned(media.find((name) => name.startsWith('trust') && name !== old) ?? '')

  const status = answerOf(await keyrite(['vault', 'status', ...vault(), '--json']))
  expect(status.data).toMatchObject({
    epoch: 2,
    openCeremony: null,
    tail: null,
    people: expect.arrayContaining([
      expect.objectContaining({ id: 'clara', share: 'medium', overdue: false }),
      expect.objectContaining({ id: 'dai', share: 'vault', lastProved: expect.any(Number) }),
    ]),
    pastEpochs: [expect.objectContaining({ epoch: 1, holders: { ada: 'vault', blaise: 'vault', clara: 'medium' } })],
    oldPassphrases: [expect.objectContaining({ holder: 'ada' })],
  })
}, 120_000)
