import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { KEY_SPEC_NAMES, type KeySpec, type PublicJwk } from '../../shared/domain/algorithms.ts'
import { lintKey } from '../../shared/domain/lint.ts'
import { asKeyriteError, isKeyriteError, KeyriteError, must } from '../../shared/errors.ts'
import { type Bytes, fromBase64url, fromUtf8, wipe } from '../../shared/formats/bytes.ts'
import { type CertificateFor, findingOfCertificate, type X5c, x5cSchema } from '../../shared/formats/x509.ts'
import { EXIT, pairMatches } from './checks.ts'

/** A private key as PKCS#8 DER, with its public half. Whoever takes it wipes `pkcs8` after use. */
export type GeneratedKey = {
  readonly spec: KeySpec
  readonly pkcs8: Bytes
  readonly jwk: PublicJwk
  readonly x5c?: X5c | undefined
}

/** What the record says about where a key came from. */
export type GeneratorFacts = { readonly node: string; readonly openssl: string; readonly process: 'fresh' }

export type GeneratedKeys = { readonly keys: readonly GeneratedKey[]; readonly generator: GeneratorFacts }

/** `certificates`: for each spec what its certificate is made for, or null for a key without one; none at all unless told. */
export type GenerationJob = {
  readonly tenant: string
  readonly specs: readonly KeySpec[]
  readonly certificates?: readonly (CertificateFor | null)[]
}

/** A fresh process that runs generate-child.ts: the part of node:child_process that is used. `close` follows its last output. */
export type GeneratorProcess = {
  readonly stdin: Writable
  readonly stdout: Readable
  kill(signal: 'SIGKILL'): unknown
  once(event: 'error', listener: (error: Error) => void): unknown
  once(event: 'close', listener: (status: number | null) => void): unknown
}

export type GenerateOptions = {
  /** Processes at a time; the number of cores unless told. */
  readonly parallel?: number
  /** Called after each tenant, with tenants done and tenants in all. */
  readonly onProgress?: (done: number, total: number) => void
  /** Starts one process; see `startGeneratorsWith` unless told. */
  readonly start?: () => GeneratorProcess
  /** Ends all processes; the call then fails with `interrupted`. */
  readonly signal?: AbortSignal
  /** How long one tenant may take, in milliseconds; one minute and another for each key unless told. */
  readonly timeoutMs?: number
}

const jwkSchema = z.discriminatedUnion('kty', [
  z.strictObject({ kty: z.literal('RSA'), n: z.string(), e: z.string() }),
  z.strictObject({ kty: z.literal('EC'), crv: z.enum(['P-256', 'P-384']), x: z.string(), y: z.string() }),
  z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() }),
])
const answerSchema = z.strictObject({
  node: z.string().max(64),
  openssl: z.string().max(64),
  keys: z.array(
    z.strictObject({ spec: z.enum(KEY_SPEC_NAMES), pkcs8: z.string(), jwk: jwkSchema, x5c: x5cSchema.optional() }),
  ),
})

/**
 * Makes the keys of many tenants, each tenant's in a process of its own that is newly seeded from the operating system
 * and ends afterwards. Gives the keys by tenant, in the order of `specs`; every key was checked pairwise and linted, and
 * its certificate, where one was asked for, is its own.
 * Throws `generator-failed` when a process fails, hangs or answers anything else than the keys asked for, `interrupted`
 * on abort, `plan-invalid` for a tenant named twice. On failure every process has ended and the private bytes held are
 * zeros (JavaScript strings they passed through cannot be wiped).
 */
export async function generateKeys(
  jobs: readonly GenerationJob[],
  options: GenerateOptions = {},
): Promise<Map<string, GeneratedKeys>> {
  must(new Set(jobs.map(({ tenant }) => tenant)).size === jobs.length, 'plan-invalid', 'A tenant is named twice.')
  const made = new Map<string, GeneratedKeys>()
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])])
  const queue = jobs.values()
  const given = options.start ?? startedBy
  const codeCache = given ? undefined : await mkdtemp(join(tmpdir(), 'keyrite-code-')).catch(() => undefined)
  const start = given ?? (() => startGenerator(codeCache))
  let failure: unknown
  const lane = async () => {
    try {
      for (const job of queue) {
        made.set(job.tenant, await generateFor(job, start, signal, options.timeoutMs))
        options.onProgress?.(made.size, jobs.length)
      }
    } catch (error) {
      failure ??= error
      stop.abort()
    }
  }
  const lanes = Math.max(1, Math.min(options.parallel ?? availableParallelism(), jobs.length))
  await Promise.all(Array.from({ length: lanes }, lane))
  if (codeCache) await rm(codeCache, { recursive: true, force: true })
  if (failure === undefined) return made
  for (const { keys } of made.values()) wipe(...keys.map(({ pkcs8 }) => pkcs8))
  throw asKeyriteError(failure)
}

let startedBy: (() => GeneratorProcess) | undefined

/**
 * From now on every generating process of this program is started by `start`: for a program that cannot start itself
 * anew, as the packaged app, whose binary runs nothing but the app.
 */
export function startGeneratorsWith(start: () => GeneratorProcess): void {
  startedBy = start
}

/**
 * Starts generate-child.ts under this same Node, with nothing in its environment but what the platform needs. The code
 * cache, a private folder holding compiled code and no keys, halves what a start costs where Node strips types itself.
 */
export function startGenerator(codeCache?: string): GeneratorProcess {
  const { SystemRoot } = process.env
  return spawn(process.execPath, [fileURLToPath(new URL('./generate-child.ts', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
    env: {
      ...(SystemRoot === undefined ? {} : { SystemRoot }),
      ...(codeCache === undefined ? {} : { NODE_COMPILE_CACHE: codeCache }),
    },
  })
}

async function generateFor(
  { tenant, specs, certificates = specs.map(() => null) }: GenerationJob,
  start: () => GeneratorProcess,
  signal: AbortSignal,
  timeoutMs = 60_000 * (1 + specs.length),
): Promise<GeneratedKeys> {
  if (signal.aborted) throw interrupted()
  const answer = await converse(start(), `${JSON.stringify({ specs, certificates })}\n`, {
    signal,
    timeoutMs,
    // An RSA-4096 key takes about 4 KiB, its certificate 2.
    maxBytes: 1024 + 8192 * specs.length,
  })
  try {
    return await readAnswer(answer, specs, certificates)
  } catch (error) {
    if (isKeyriteError(error, 'generator-failed')) throw error
    // Without the cause: its text may quote the answer.
    throw new KeyriteError('generator-failed', `The process that made the keys of ${tenant} gave an unreadable answer.`)
  } finally {
    wipe(answer)
  }
}

/** Hands a process its input and gives what it wrote, once it ended well. It has ended in every case. */
function converse(
  child: GeneratorProcess,
  input: string,
  { signal, timeoutMs, maxBytes }: { signal: AbortSignal; timeoutMs: number; maxBytes: number },
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let problem: KeyriteError | undefined
    const end = (error: KeyriteError) => {
      problem ??= error
      child.kill('SIGKILL')
    }
    const onAbort = () => end(interrupted())
    const timer = setTimeout(() => end(failed(`did not finish within ${timeoutMs} ms`)), timeoutMs)
    const settle = (status: number | null) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      if (status !== 0) problem ??= failed(REASONS.get(status ?? -1) ?? `ended with status ${status}`)
      if (problem) reject(problem)
      else resolve(Buffer.concat(chunks))
      wipe(...chunks)
    }
    signal.addEventListener('abort', onAbort)
    child.once('error', () => end(failed('could not be started or ended')))
    child.once('close', settle)
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) end(failed('wrote more than its keys'))
      else chunks.push(chunk)
    })
    // A child that ends without reading breaks the pipe; its status says why.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

const REASONS = new Map<number, string>([
  [EXIT.outputCheck, 'found its random generator failing the output sanity check'],
  [EXIT.pairCheck, 'made a key whose halves do not belong together'],
])

/** Parses an answer strictly and checks that it holds exactly the keys asked for; wipes what it decoded if not. */
async function readAnswer(
  answer: Uint8Array,
  specs: readonly KeySpec[],
  certificates: readonly (CertificateFor | null)[],
): Promise<GeneratedKeys> {
  const { node, openssl, keys: raw } = answerSchema.parse(JSON.parse(fromUtf8(answer)))
  const keys: GeneratedKey[] = []
  try {
    const asked = raw.length === specs.length && raw.every(({ spec }, at) => spec === specs[at])
    if (!asked) throw failed('answered with other keys than it was asked for')
    for (const [at, { spec, pkcs8, jwk, x5c }] of raw.entries()) {
      const key = { spec, pkcs8: fromBase64url(pkcs8), jwk, ...(x5c && { x5c }) }
      keys.push(key)
      const sound = lintKey(spec, jwk).length === 0 && pairMatches(spec, key.pkcs8, jwk)
      if (!sound) throw failed('answered with a key that is not the one asked for')
      const finding = await findingOf(key, certificates[at] ?? null)
      if (finding !== null) throw failed(`answered with a certificate that is not the one asked for: ${finding}`)
    }
    return { keys, generator: { node, openssl, process: 'fresh' } }
  } catch (error) {
    wipe(...keys.map(({ pkcs8 }) => pkcs8))
    throw error
  }
}

/** What speaks against a key's certificate; a key has one exactly where it was asked for. */
async function findingOf(key: GeneratedKey, asked: CertificateFor | null): Promise<string | null> {
  if (!key.x5c || !asked) return key.x5c || asked ? 'there must be one exactly where it was asked for' : null
  return findingOfCertificate(key.x5c, key, asked)
}

function failed(what: string): KeyriteError {
  return new KeyriteError('generator-failed', `The process that makes keys ${what}.`)
}

function interrupted(): KeyriteError {
  return new KeyriteError('interrupted', 'Making keys was interrupted.')
}
