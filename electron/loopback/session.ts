import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** How long the printed address may wait for its window, in milliseconds. */
export const TOKEN_LIFETIME = 120_000

const COOKIE = 'keyrite'

export type Session = {
  /** The part of every address that other servers of this machine are never told. */
  readonly room: string
  /** For the fragment of the printed address: a browser never sends that part. */
  readonly token: string
  /** Exchanges the token, once and in time, for the value of `Set-Cookie`; null where it is refused. */
  claim(token: string): string | null
  /** Whether the token may still be exchanged. */
  waits(): boolean
  /** Whether a `Cookie` header carries this session's cookie, exactly once. */
  admits(cookies: string | null | undefined): boolean
}

const secret = (): string => randomBytes(32).toString('base64url')
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
/** Takes the same time wherever two texts differ, whatever their lengths. */
const same = (one: string, other: string): boolean => timingSafeEqual(sha256(one), sha256(other))

/**
 * The session of one run. Cookies belong to a host, not to a port: without a path of its own, every other server on
 * 127.0.0.1 would be sent this one. `__Host-` would need https. `now` counts milliseconds and is never set back.
 */
export function createSession(now: () => number, lifetime = TOKEN_LIFETIME): Session {
  const until = now() + lifetime
  const room = randomBytes(16).toString('base64url')
  const token = secret()
  let cookie: string | null = null
  const waits = () => cookie === null && now() < until
  return {
    room,
    token,
    waits,
    claim: (given) => {
      const right = same(given, token)
      if (!right || !waits()) return null
      cookie = secret()
      return `${COOKIE}=${cookie}; Path=/${room}/; HttpOnly; SameSite=Strict`
    },
    admits: (cookies) => {
      const ours = (cookies ?? '').split('; ').filter((one) => one.startsWith(`${COOKIE}=`))
      return cookie !== null && ours.length === 1 && same(ours[0] ?? '', `${COOKIE}=${cookie}`)
    },
  }
}
