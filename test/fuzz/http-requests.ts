import { HOSTILE, mutateBytes, mutateText, type Random } from './random.ts'

/** Requests that are almost good: one of the good ones, with changes to any of its parts, or to its bytes. */

export type Request = { method: string; path: string; headers: [string, string][]; body: string }

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'get',
  'PROPFIND',
  'QUERY',
  'M-SEARCH',
]
const HEADERS = [
  'Host',
  'Content-Type',
  'Content-Length',
  'Transfer-Encoding',
  'Authorization',
  'If-None-Match',
  'Expect',
  'Connection',
  'X-Forwarded-Host',
  'X-Forwarded-For',
  'Forwarded',
  'Keyrite-Relying-Party',
  'User-Agent',
  'Accept-Encoding',
  'Range',
  'Content-Encoding',
  'Upgrade',
  'HTTP2-Settings',
  'Cookie',
  'Origin',
  'Trailer',
  'TE',
  'Date',
  '__proto__',
  'constructor',
]
const VALUES = [
  'close',
  'keep-alive',
  'chunked',
  '0',
  '5',
  '99999999',
  'gzip',
  '100-continue',
  'h2c',
  'bytes=0-1',
  '*',
  '"x"',
  'W/"x", *',
  'application/json',
  'application/x-www-form-urlencoded; charset=utf-8',
  'multipart/form-data; boundary=x',
  'Basic',
  'Basic !',
  'Basic Og==',
  'Basic YTpi',
  'Bearer canary',
  'Digest username="a"',
  'acme.example.com',
  '127.0.0.1',
  'canary/1',
  'trailers',
]

/** Up to three changes to the parts of a request. */
export function mutateRequest(random: Random, good: Request): Request {
  const made = { ...good, headers: [...good.headers] }
  for (let left = random.below(4); left > 0; left--) change(random, made)
  return made
}

function change(random: Random, made: Request): void {
  switch (random.below(9)) {
    case 0:
      made.method = random.chance(0.9) ? random.pick(METHODS) : mutateText(random, made.method)
      break
    case 1:
      made.path = random.chance(0.5) ? mutateText(random, made.path) : `${made.path}${random.pick(HOSTILE)}`
      break
    case 2:
      made.path = `${made.path}?${random.pick(HOSTILE)}=${random.pick(HOSTILE)}`
      break
    case 3:
      made.headers.splice(random.below(made.headers.length), 1)
      break
    case 4:
      made.headers.push(random.pick([...made.headers, ['X', 'y']]))
      break
    case 5:
      made.headers.push([random.pick(HEADERS), random.chance(0.7) ? random.pick(VALUES) : random.pick(HOSTILE)])
      break
    case 6:
      made.headers = made.headers.map(([name, value]) =>
        random.chance(0.3) ? [name, mutateText(random, value)] : [name, value],
      )
      break
    case 7:
      made.body = mutateForm(random, made.body)
      break
    default:
      made.body = mutateText(random, made.body)
  }
}

/** A form whose parameters are doubled, left out, renamed, swapped or changed. */
export function mutateForm(random: Random, form: string): string {
  const pairs = form.split('&')
  const at = random.below(pairs.length)
  const [name = '', value = ''] = (pairs[at] ?? '').split('=')
  const text = random.pick(HOSTILE)
  const changed = [
    [pairs[at] ?? '', pairs[at] ?? ''],
    [],
    [`${name}=${encodeURIComponent(text)}`],
    [`${name}=${text}`],
    [`${text}=${value}`],
    [`${name}=${mutateText(random, value)}`],
    [`${name}=${value}${value}`],
    Array.from({ length: 40 }, (_, i) => `${name}${i}=${value}`),
  ]
  return pairs.toSpliced(at, 1, ...random.pick(changed)).join('&')
}

/** The bytes of a request: with its length, in chunks, or with a length that lies; some are then changed blindly. */
export function bytesOf(random: Random, { method, path, headers, body }: Request): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  const how = random.below(10)
  if (how === 0) lines.push('Transfer-Encoding: chunked')
  else if (how === 1) lines.push(`Content-Length: ${random.below(20_000)}`)
  else if (body !== '' && how > 2) lines.push(`Content-Length: ${body.length}`)
  const framed = how === 0 ? chunked(random, body) : body
  const bytes = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${framed}`, 'latin1')
  return random.chance(0.2) ? mutateBytes(random, bytes) : bytes
}

function chunked(random: Random, body: string): string {
  const at = random.below(body.length + 1)
  const parts = [body.slice(0, at), body.slice(at)].filter((part) => part !== '')
  const framed = parts.map((part) => `${part.length.toString(16)}${random.chance(0.2) ? ';x=y' : ''}\r\n${part}\r\n`)
  const whole = `${framed.join('')}0\r\n\r\n`
  return random.chance(0.3) ? mutateText(random, whole) : whole
}
