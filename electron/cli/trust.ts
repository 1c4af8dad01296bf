import { Command } from 'commander'
import { spellDuration } from '../../shared/domain/policy.ts'
import { isKeyriteError, KeyriteError, must } from '../../shared/errors.ts'
import { type Bytes, fromUtf8 } from '../../shared/formats/bytes.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
import { POLICY_MAX_BYTES } from '../../shared/formats/trust-policy.ts'
import { listed } from '../../shared/pages/words.ts'
import { ruleInWords } from '../../shared/trust/claims.ts'
import type { Fetch } from '../../shared/trust/fetch.ts'
import { JWKS_MAX_BYTES } from '../../shared/trust/key-set.ts'
import { type IssuerTrust, openTrustPolicy, type TrustPolicy } from '../../shared/trust/policy.ts'
import { TOKEN_MAX_BYTES } from '../../shared/trust/token.ts'
import { createTrustContext, type Decision, verify } from '../../shared/trust/verify.ts'
import { parseUtc } from '../app/desk-rules.ts'
import { readFileGuarded } from '../files/read.ts'
import { table } from './format.ts'
import { text } from './open-vault.ts'
import { type Answer, answering } from './output.ts'

/** `keyrite trust check`: what a relying party's policy demands, and whether a token meets it. */
export function trustCommands(): Command {
  const trust = new Command('trust').description('what relying parties demand of tokens')
  trust
    .command('check')
    .description('what a trust policy demands; with a token, whether it is allowed (exit 3 where it is denied)')
    .requiredOption('--policy <file>', 'the trust policy')
    .option('--token <file>', 'a file with one token, or - for standard input')
    .option(
      '--jwks <file>',
      "the key set of the token's issuer, instead of fetching it (signed where a root is pinned)",
    )
    .option('--now <utc>', 'instead of the clock, like "2026-11-21 12:03:20"')
    .action(answering(check))
  return trust
}

async function check(_: string[], options: Record<string, unknown>): Promise<Answer> {
  const token = text(options['token'])
  for (const name of ['jwks', 'now'])
    must(token || options[name] === undefined, 'usage-invalid', `--${name} goes with --token.`)
  const policy = await openTrustPolicy(readFileGuarded(text(options['policy']) ?? '', POLICY_MAX_BYTES))
  if (!token) return { data: { issuers: [...policy.issuers.values()].map(demandsOf) }, text: demandsInWords(policy) }
  const jwks = text(options['jwks'])
  const context = createTrustContext(policy, { fetch: jwks ? fileAsServer(jwks) : fetch, now: clockOf(options['now']) })
  const decision = await verify(await readToken(token), context)
  return { data: decision, text: decisionInWords(decision), exit: decision.allow ? 0 : 3 }
}

/** One token asks for one key set, its issuer's: whatever is fetched, the file is the answer. */
function fileAsServer(path: string): Fetch {
  const bytes = withoutLineEnd(readFileGuarded(path, JWKS_MAX_BYTES))
  const type = bytes[0] === 0x7b ? 'application/json' : 'application/jwk-set+jwt'
  return async () => new Response(bytes, { headers: { 'Content-Type': type } })
}

/** Editors and `echo` end a file with a line feed; a token has none. */
function withoutLineEnd(bytes: Bytes): Bytes {
  let end = bytes.length
  if (bytes[end - 1] === 0x0a) end -= bytes[end - 2] === 0x0d ? 2 : 1
  return bytes.subarray(0, end)
}

function clockOf(given: unknown): () => number {
  const typed = text(given)
  if (typed === undefined) return () => Math.floor(Date.now() / 1000)
  const now = parseUtc(typed)
  must(now !== null, 'usage-invalid', '--now takes a time in UTC like "2026-11-21 12:03:20".')
  return () => now
}

/** What is not text is no token: '' is `malformed`. */
async function readToken(path: string): Promise<string> {
  const bytes = path === '-' ? await readStdin() : readFileGuarded(path, TOKEN_MAX_BYTES + 2)
  try {
    return fromUtf8(withoutLineEnd(bytes))
  } catch (error) {
    if (isKeyriteError(error, 'format-invalid')) return ''
    throw error
  }
}

async function readStdin(): Promise<Bytes> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > TOKEN_MAX_BYTES + 2)
      throw new KeyriteError('file-too-large', `There are more than ${TOKEN_MAX_BYTES} bytes on standard input.`)
    chunks.push(bytes)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

const decisionInWords = (decision: Decision): string =>
  decision.allow ? `Allowed: a token of ${decision.issuer}.` : `Denied: ${decision.message}\n(${decision.reason})`

/** For --json: the policy with its defaults, and the roots by their fingerprints. */
const demandsOf = ({ anchors, ...one }: IssuerTrust) => ({ ...one, roots: anchors.map(rootOf) })
const rootOf = ({ name, key }: IssuerTrust['anchors'][number]) => ({ vault: name, fingerprint: key.kid })

function demandsInWords({ issuers }: TrustPolicy): string {
  const head = `Tokens of ${issuers.size === 1 ? 'one issuer' : `${issuers.size} issuers`} are accepted, of nobody else.`
  const roots = [...issuers.values()].some(({ anchors }) => anchors.length > 0)
  return [
    head,
    ...[...issuers.values()].flatMap((one) => ['', one.issuer, table(rowsOf(one))]),
    ...(roots ? ['', 'Compare each root with a head card on paper, by voice.'] : []),
  ].join('\n')
}

function rowsOf(trust: IssuerTrust): string[][] {
  const { keys, anchors, types, algorithms, audiences, otherAudiences, maxAge, clockSkew, claims } = trust
  const from = keys.source === 'jwks' ? keys.jwksUri : `${keys.signedJwksUri}, signed by the pinned root`
  const stale = keys.staleFor === 0 ? '' : `, and ${spellDuration(keys.staleFor)} more while the server does not answer`
  const besides = otherAudiences.length === 0 ? 'and nobody else' : `and nobody but ${listed(otherAudiences)} besides`
  const rows = [
    ['keys', from],
    ['', `kept for at most ${spellDuration(keys.cacheFor)}${stale}`],
    ...anchors.map(({ name, key }) => ['root', `${hexGroups(key.kid).join(' ')} (${name})`]),
    ['type', types.map((type) => type ?? 'left out').join(' or ')],
    ['signed with', algorithms.join(' or ')],
    ['for', `${audiences.join(' or ')}, ${besides}`],
    [
      'time',
      `issued at most ${spellDuration(maxAge)} ago and not expired; clocks may differ by ${spellDuration(clockSkew)}`,
    ],
    ...claims.map((rule, at) => [at === 0 ? 'claims' : '', ruleInWords(rule)]),
  ]
  return rows.map(([name = '', words = '']) => [`  ${name}`, words])
}
