import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { parsePlan } from '../../shared/formats/plan.ts'
import { REGISTERED } from './caches.ts'
import { DOCUMENT, documented, filledIn } from './nginx-proxy.ts'
import { pythonWith } from './tools.ts'
import { API, spoiled, startWorld, tokenOf } from './world.ts'

/** docs/relying-parties.md says what the tests show, and what is to be copied from it works. */

const ROOT = join(import.meta.dirname, '..', '..')
const text = readFileSync(DOCUMENT, 'utf8')
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.slice(2, -2).split(' | '))

it('the table has a row for every relying party of the tests, each cell filled', () => {
  expect(rows.map(([name]) => name).toSorted()).toEqual(REGISTERED.map(({ name }) => name).toSorted())
  for (const row of rows) {
    expect(row).toHaveLength(6)
    expect(row.filter((cell) => cell.trim() === '')).toEqual([])
  }
})

it('how to register is what plans take, and what the tests rehearse', () => {
  const registrations = rows.map(([, , , cell = '']) => JSON.parse(`{ ${cell.replaceAll('`', '')} }`) as object)
  const relyingParties = rows.map(([name], index) => ({ name, ...registrations[index] }))
  const sample = JSON.parse(readFileSync(join(ROOT, 'docs', 'plans', 'onboard.json'), 'utf8')) as { tenants: object[] }
  const { plan } = parsePlan(JSON.stringify({ ...sample, tenants: [{ ...sample.tenants[0], relyingParties }] }))
  const read = plan.kind === 'onboard' ? plan.tenants[0]?.relyingParties : []
  const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name)
  expect(read?.toSorted(byName)).toEqual(REGISTERED.toSorted(byName))
})

it('every test that the document cites exists, under that name', () => {
  const cited = [...text.matchAll(/`(test\/[\w/.-]+)`((?: (?:and )?"[^"]+")*)/g)]
  expect(cited.length).toBeGreaterThan(rows.length)
  for (const [, file = '', names = ''] of cited) {
    expect([file, existsSync(join(ROOT, file))]).toEqual([file, true])
    const source = readFileSync(join(ROOT, file), 'utf8')
    const quoted = [...names.matchAll(/"([^"]+)"/g)]
    expect([file, quoted.length]).not.toEqual([file, 0])
    for (const [, name = ''] of quoted) expect([name, source.includes(`('${name}'`)]).toEqual([name, true])
  }
})

it('every row cites a test or says that it is by its documentation', () => {
  for (const [name, ...cells] of rows)
    expect([name, /`test\/|by its documentation/.test(cells.at(-1) ?? '')]).toEqual([name, true])
})

it('the YAML that is to be copied is YAML', () => {
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) => parse(block) as object)
  expect(blocks).toHaveLength(3)
  for (const block of blocks) expect(JSON.stringify(block)).toContain('https://acme.example.com')
})

it('the code for jose verifies a token, and refuses one that was changed and one of another tenant', async () => {
  const { tenant } = await startWorld(['initech', 'umbrella'])
  const folder = join(ROOT, 'test', 'output')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `verify-${process.pid}.mjs`)
  onTestFinished(() => rmSync(file, { force: true }))
  const { issuer } = tenant('initech')
  writeFileSync(file, filledIn(documented('js'), { 'https://acme.example.com': issuer }))
  const { verify } = (await import(file)) as { verify(token: string): Promise<{ iss: string; aud: string }> }
  const token = await tokenOf(tenant('initech'))
  expect(await verify(token)).toMatchObject({ iss: issuer, aud: API })
  await expect(verify(spoiled(token))).rejects.toThrow()
  await expect(verify(await tokenOf(tenant('umbrella')))).rejects.toThrow()
})

it('the code for PyJWT verifies a token, and refuses one that was changed and one of another tenant', async (ctx) => {
  const python = pythonWith('jwt')
  if (!python) return ctx.skip('no Python with the module jwt')
  const { tenant } = await startWorld(['initech', 'umbrella'])
  const { issuer } = tenant('initech')
  const block = filledIn(documented('python'), { 'https://acme.example.com': issuer })
  const tokens = [await tokenOf(tenant('initech')), await tokenOf(tenant('umbrella'))]
  const asked = [tokens[0] ?? '', spoiled(tokens[0] ?? ''), tokens[1] ?? '']
  const program = `${block}
import sys
for token in sys.argv[1:]:
    try:
        print(verify(token)["iss"])
    except jwt.PyJWTError as error:
        print(type(error).__name__)
`
  const { stdout } = await promisify(execFile)(python, ['-c', program, ...asked])
  expect(stdout.trim().split('\n')).toEqual([issuer, 'InvalidSignatureError', 'PyJWKClientError'])
})
