import { describe, expect, it } from 'vitest'
import { createSession, TOKEN_LIFETIME } from '../../electron/loopback/session.ts'

describe('the one-time token', () => {
  it('has 256 bits, and two runs never have the same', () => {
    const tokens = Array.from({ length: 50 }, () => createSession(() => 0).token)
    expect(new Set(tokens).size).toBe(50)
    for (const token of tokens) expect(Buffer.from(token, 'base64url')).toHaveLength(32)
  })

  it('is exchanged once for a cookie that scripts cannot read and other sites and ports are not sent', () => {
    const session = createSession(() => 0)
    const cookie = session.claim(session.token)
    expect(cookie).toMatch(new RegExp(`^keyrite=[\\w-]{43}; Path=/${session.room}/; HttpOnly; SameSite=Strict$`))
    expect(session.claim(session.token)).toBeNull()
  })

  it('works until two minutes have passed, and not a millisecond longer', () => {
    let now = 5_000
    expect(TOKEN_LIFETIME).toBe(120_000)
    const early = createSession(() => now)
    const late = createSession(() => now)
    now += 119_999
    expect(early.waits()).toBe(true)
    expect(early.claim(early.token)).not.toBeNull()
    now += 1
    expect(late.waits()).toBe(false)
    expect(late.claim(late.token)).toBeNull()
  })

  it.each([
    ['nothing', () => ''],
    ['a part', (token: string) => token.slice(0, -1)],
    ['more', (token: string) => `${token}A`],
    ['another', () => createSession(() => 0).token],
    ['another case', (token: string) => token.toUpperCase()],
    ['a megabyte', () => 'A'.repeat(1_000_000)],
  ])('is not %s of it; a wrong guess does not use it up', (_what, guess) => {
    const session = createSession(() => 0)
    expect(session.claim(guess(session.token))).toBeNull()
    expect(session.claim(session.token)).not.toBeNull()
  })
})

describe('the cookie', () => {
  const admitted = () => {
    const session = createSession(() => 0)
    return { session, cookie: session.claim(session.token)?.split(';')[0] ?? '' }
  }

  it('admits, alone or among the cookies of other programs of this machine', () => {
    const { session, cookie } = admitted()
    expect(session.admits(cookie)).toBe(true)
    expect(session.admits(`other=1; ${cookie}; last=2`)).toBe(true)
  })

  it.each([
    ['absent', () => undefined],
    ['in a repeated header', () => null],
    ['empty', () => ''],
    ['forged', () => `keyrite=${'A'.repeat(43)}`],
    ['cut', (cookie: string) => cookie.slice(0, -1)],
    ['there twice', (cookie: string) => `${cookie}; ${cookie}`],
    ['beside a forged one', (cookie: string) => `keyrite=x; ${cookie}`],
    ['of another run', () => admitted().cookie],
  ])('refuses one that is %s', (_what, cookies) => {
    const { session, cookie } = admitted()
    expect(session.admits(cookies(cookie))).toBe(false)
  })

  it('before the exchange, no cookie admits', () => {
    expect(createSession(() => 0).admits('keyrite=')).toBe(false)
  })
})
