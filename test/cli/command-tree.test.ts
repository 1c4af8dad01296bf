import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { wholeKid } from '../../electron/cli/kid.ts'
import { failure } from '../ceremony/fixtures.ts'
import { answerOf, keyrite } from './run.ts'

/** What the commands themselves tell: unknown words, completion, key ids, and starting from elsewhere. */

describe('a word that is no command', () => {
  it.each([
    ['party', '--help'],
    ['ceremony', 'party', '--help'],
    ['ceremony', 'party'],
    ['--json', 'issuer', 'client', 'party'],
  ])('%s %s %s', async (...words) => {
    const ran = await keyrite([...words.filter((word) => word !== '--json'), '--json'])
    expect([ran.status, answerOf(ran).error.message]).toEqual([2, "unknown command 'party'"])
  })

  it.each([[['ceremony', '--help']], [['help', 'ceremony']], [['ceremony', 'run', '--help']]])(
    '%s is help, exit 0',
    async (words) => {
      const ran = await keyrite(words)
      expect([ran.status, ran.stdout]).toEqual([0, expect.stringContaining('Usage: keyrite ceremony')])
    },
  )
})

describe('completion', () => {
  it('bash offers sub-commands, then options', async () => {
    const { stdout } = await keyrite(['completion', 'bash'])
    const offered = (...typed: string[]) => {
      const line = `COMP_WORDS=(keyrite ${typed.join(' ')}); COMP_CWORD=${typed.length}; _keyrite; echo "\${COMPREPLY[@]}"`
      return execFileSync('bash', ['-c', `${stdout}\n${line}`], { encoding: 'utf8' }).trim()
    }
    expect(offered('cerem')).toBe('ceremony')
    expect(offered('ceremony', 're').split(' ').sort()).toEqual(['rehearse', 'resume'])
    expect(offered('ceremony', 'print', '--h').split(' ').sort()).toEqual(['--help', '--html'])
  })

  it.each(['zsh', 'fish'])('%s gets a script with every command', async (shell) => {
    const { status, stdout } = await keyrite(['completion', shell])
    expect(status).toBe(0)
    for (const word of ['ceremony', 'rehearse', 'verify', 'passphrases']) expect(stdout).toContain(word)
  })

  it('another shell is a usage error', async () => {
    const ran = await keyrite(['completion', 'csh', '--json'])
    expect([ran.status, answerOf(ran).error.code]).toEqual([2, 'usage-invalid'])
  })
})

describe('a key id may be shortened to 8 characters where only one key begins so', () => {
  const [one, other] = [`abcdefgh1${'A'.repeat(34)}`, `abcdefgh2${'A'.repeat(34)}`]

  it.each([
    [one, one],
    ['abcdefgh1', one],
    [`abcdefgh2${'A'.repeat(10)}`, other],
  ])('%s', (typed, kid) => {
    expect(wholeKid(typed, [one, other])).toBe(kid)
  })

  it.each([
    ['abcdefg', /too short/],
    ['abcdefgh', /2 keys begin/],
    ['zzzzzzzz', /No key begins/],
    ['', /too short/],
  ])('“%s” is refused: key-unknown', async (typed, message) => {
    const error = await failure(Promise.resolve().then(() => wholeKid(typed, [one, other])))
    expect([error.code, error.message]).toEqual(['key-unknown', expect.stringMatching(message)])
  })
})

it('bin/keyrite.js starts it from any folder, with the exit status of the command', () => {
  const bin = fileURLToPath(new URL('../../bin/keyrite.js', import.meta.url))
  expect(execFileSync(process.execPath, [bin, '--version'], { cwd: '/', encoding: 'utf8' })).toMatch(
    /^\d+\.\d+\.\d+\n$/,
  )
  const run = () => execFileSync(process.execPath, [bin, 'party'], { cwd: '/', stdio: 'pipe' })
  expect(run).toThrow(expect.objectContaining({ status: 2 }))
})
