import { Denied, demand } from './reasons.ts'

/** Fetching a key set from a server that may be anybody's by now: caps on everything, and nothing followed. */

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export type Wanted = { types: readonly string[]; maxBytes: number; timeoutMs: number }
/** `maxAge`: the seconds that the answer says it may still be kept; null where it does not say. */
export type Fetched = { bytes: Uint8Array; maxAge: number | null }

/**
 * Asks once for a key set. Status 200 exactly, no redirects, one of `types`, at most `maxBytes` (counted after any
 * decompression), all within `timeoutMs`. Throws `Denied`: `key-set-unavailable` where no such answer came, `key-set-invalid`
 * where it is of another type or too large.
 */
export async function fetchBytes(fetch: Fetch, url: string, wanted: Wanted): Promise<Fetched> {
  const response = await answerOf(fetch, url, wanted)
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  try {
    demand(response.status === 200, 'key-set-unavailable', `status ${response.status}`)
    demand(wanted.types.includes(type), 'key-set-invalid', `its content type is not ${wanted.types.join(' or ')}`)
    return { bytes: await readCapped(response, wanted.maxBytes), maxAge: maxAgeOf(response.headers) }
  } catch (error) {
    await response.body?.cancel().catch(() => {})
    throw error
  }
}

async function answerOf(fetch: Fetch, url: string, { types, timeoutMs }: Wanted): Promise<Response> {
  try {
    return await fetch(url, {
      headers: { Accept: types.join(', ') },
      redirect: 'error',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      // A refetch for an unknown kid must reach the server; how long to keep a set is decided here.
      cache: 'no-store',
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch {
    throw new Denied('key-set-unavailable', 'no answer, or a redirect')
  }
}

async function readCapped(response: Response, maxBytes: number): Promise<Uint8Array> {
  const reader = response.body?.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const chunk = await reader?.read().catch(() => {
      throw new Denied('key-set-unavailable', 'the answer broke off')
    })
    if (!chunk || chunk.done) break
    size += chunk.value.length
    if (size > maxBytes) {
      await reader?.cancel().catch(() => {})
      throw new Denied('key-set-invalid', `it is larger than ${maxBytes} bytes`)
    }
    chunks.push(chunk.value)
  }
  return joined(chunks, size)
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** RFC 9111 sections 4.2.1 and 5.1: `max-age` less the time that caches on the way have kept it. */
function maxAgeOf(headers: Headers): number | null {
  const control = headers.get('cache-control') ?? ''
  if (/(?:^|,)\s*no-(?:store|cache)\s*(?:,|$)/i.test(control)) return 0
  const [, seconds] = /(?:^|,)\s*max-age=(\d{1,9})\s*(?:,|$)/i.exec(control) ?? []
  if (seconds === undefined) return null
  const [age = '0'] = /^\d{1,9}$/.exec(headers.get('age') ?? '') ?? []
  return Math.max(0, Number(seconds) - Number(age))
}
