import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { publicJwkSchema } from '../../shared/formats/common.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { ASSERTION_TYPE } from '../issuer/http/service.ts'
import { ask, askToken } from '../issuer/serving/ask.ts'
import { AUDIENCE, type Client, childrenOf, serving, today } from '../issuer/serving/process.ts'
import { answersIn, converse } from './sockets.ts'

/** Fault 24 at real processes: floods do not grow their memory, and an assertion counts once for all of them. */

const MB = 1024 * 1024
/** What one round may add before the collector comes; buffers kept for 20,000 connections would be more. */
const MOST = 192 * MB

/** Resident memory of a process, in bytes. */
const rss = (pid: number) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096

/** Runs `jobs` pieces of work, at most `lanes` at a time. */
async function inLanes(jobs: number, lanes: number, work: (at: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < jobs) await work(next++)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** One connection that sends many requests at once and takes what comes back; gives the statuses. */
async function pipelined(port: number, requests: string[]): Promise<number[]> {
  return answersIn(await converse(port, requests.join(''), { quiet: 2000, patience: 60_000 })).map(
    ({ status }) => status,
  )
}

const NOISE: ((host: string) => string | Buffer)[] = [
  () => randomBytes(200),
  () => 'GET / HTTP/1.1\r\n',
  (host) => `POST /token HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 9000\r\n\r\n${'a'.repeat(4000)}`,
  (host) => `POST /token HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\nabc`,
  (host) => `GET /.well-known/jwks.json HTTP/1.1\r\nHost: ${host}\r\nX: ${'a'.repeat(7900)}`,
  (host) => `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  (host) => `GET /.well-known/jwks.json HTTP/1.1\r\nHost: ${randomBytes(8).toString('hex')}.${host}\r\n\r\n`,
]

/** A connection of garbage that is cut from this side. */
function noise(port: number, bytes: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, () => socket.destroy()))
    socket.on('error', () => {}).on('close', () => resolve())
  })
}

/** Ends the connection. */
const last = (host: string) => `GET /last HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`

const attempt = (host: string, at: number): string => {
  const form = `grant_type=client_credentials&client_id=made-up-${at}-${'x'.repeat(200)}&client_secret=${at}`
  const lines = [`Host: ${host}`, 'Content-Type: application/x-www-form-urlencoded', `Content-Length: ${form.length}`]
  return `POST /token HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${form}`
}

describe('fault 24: floods', () => {
  it('20,000 garbage connections and requests with made-up clients leave the memory as it was', async ({ skip }) => {
    if (!existsSync('/proc/self/statm')) skip('memory of another process is read from /proc')
    const { dir, clients } = await today(['acme'])
    const { url, child, stderr } = await serving(dir, '--workers', '1', '--port', '0')
    const [client] = clients as [Client]
    const port = Number(new URL(url).port)
    const pid = child.pid ?? 0
    const flood = async (from: number, count: number) => {
      await inLanes(count / 4, 32, (at) => noise(port, NOISE[at % NOISE.length]?.(client.host) ?? ''))
      await inLanes((count * 3) / 4 / 50, 8, async (at) => {
        const requests = Array.from({ length: 50 }, (_, i) => attempt(client.host, from + at * 50 + i))
        expect(await pipelined(port, [...requests, last(client.host)])).toEqual([...Array(50).fill(401), 404])
      })
    }
    // The first round fills what is bounded: the ids remembered for their failures, pools, compiled code.
    await flood(0, 8000)
    const before = rss(pid)
    await flood(1_000_000, 20_000)
    expect(rss(pid) - before).toBeLessThan(MOST)
    expect((await askToken(url, client)).status).toBe(200)
    expect(stderr()).not.toContain('request-failed')
  })

  it('connections that say nothing are bounded, and leave room again', async () => {
    const { dir, clients } = await today(['acme'])
    const { url } = await serving(dir, '--workers', '1', '--port', '0')
    const [client] = clients as [Client]
    const port = Number(new URL(url).port)
    const silent = Array.from({ length: 1000 }, () => connect(port, '127.0.0.1').on('error', () => {}))
    onTestFinished(() => {
      for (const socket of silent) socket.destroy()
    })
    await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    expect((await askToken(url, client)).status).toBe(200)
    for (const socket of silent) socket.destroy()
    expect((await askToken(url, client)).status).toBe(200)
  })
})

describe('fault 24: one assertion, two processes', () => {
  it('of many copies sent to both at the same time, one gets a token', async () => {
    const { dir, clients } = await today(['acme'])
    const [{ host }] = clients as [Client]
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = publicJwkSchema.parse(publicKey.export({ format: 'jwk' }))
    const runtime = await openRuntime({ dir })
    const request = { clientId: 'key', method: 'private_key_jwt' as const, audiences: [AUDIENCE] }
    await runtime.clients.add(
      'acme',
      { ...request, jwks: [{ ...jwk, kid: thumbprint(jwk), alg: 'ES256' as const }] },
      'operator',
    )
    await runtime.close()
    const { url, child } = await serving(dir, '--workers', '2', '--port', '0')
    expect(childrenOf(child.pid ?? 0)).toHaveLength(2)
    // A connection each, so that both processes get some.
    const agent = new Agent({ keepAlive: false, maxSockets: 64 })
    for (let round = 0; round < 5; round++) {
      const assertion = await new SignJWT({ jti: randomBytes(12).toString('hex') })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer('key')
        .setSubject('key')
        .setAudience(`https://${host}`)
        .setIssuedAt()
        .setExpirationTime('2m')
        .sign(privateKey)
      const form = {
        grant_type: 'client_credentials',
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: assertion,
      }
      const copies = Array.from({ length: 16 }, () => ask(url, { host, path: '/token', form, agent }))
      const statuses = (await Promise.all(copies)).map(({ status }) => status)
      expect(statuses.filter((status) => status === 200)).toHaveLength(1)
      // 429: this many failures of one client in a minute.
      expect(statuses.filter((status) => status === 401 || status === 429)).toHaveLength(15)
    }
  })
})
