import { describe, expect, it } from 'vitest'
import { DEFAULT_POLICY } from '../../shared/domain/policy.ts'
import { tenantLineSchema } from '../../shared/formats/bundle.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { encodeEvent, parseEvent } from '../../shared/formats/event.ts'
import { evidenceBodySchema } from '../../shared/formats/evidence.ts'
import { canonicalText } from '../../shared/formats/json.ts'

/** Files from before a policy had token type, Ed25519 name and certificates stay readable, and what they signed counts. */

const { tokenType: _, ed25519Name: __, x509: ___, ...OLDER } = DEFAULT_POLICY

describe('a policy from before', () => {
  it.each(['tenant-added', 'tenant-amended'] as const)('in a history: %s', (type) => {
    const event = { type, tenant: 'acme', name: 'Acme', policy: OLDER, relyingParties: [] }
    const body = canonicalText(type === 'tenant-added' ? { ...event, issuer: 'https://acme.example.com' } : event)
    expect(body).not.toContain('x509')
    expect(parseEvent(body)).toMatchObject({ type, policy: DEFAULT_POLICY })
    expect(parseEvent(encodeEvent(parseEvent(body)))).toEqual(parseEvent(body))
  })

  it('in a bundle', () => {
    const { policy } = tenantLineSchema.shape
    expect(policy.parse(OLDER)).toEqual(DEFAULT_POLICY)
    expect(policy.safeParse({ ...OLDER, x509: null }).success).toBe(false)
  })

  it('in an evidence pack: the digest that people signed is that of what they read', () => {
    const written = [{ tenant: 'acme', name: 'Acme', issuer: 'https://acme.example.com', policy: OLDER, keys: [] }]
    const tenants = evidenceBodySchema.shape.tenants.parse(written)
    expect(digest(canonicalText(tenants))).toBe(digest(canonicalText(written)))
  })
})

it('an event of a key keeps its certificate, and one without has none', () => {
  const key = {
    type: 'key-generated',
    tenant: 'acme',
    kid: digest('kid'),
    spec: 'RS256',
    jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
    label: 'acme-2026-06',
    times: { announceAt: 1, signFrom: 1, signUntil: 2, extendUntil: 3, removeAt: 4, propagation: 'full' },
    replaces: null,
    generator: { node: '24', openssl: '3', process: 'fresh' },
    sealed: {},
  } as const
  expect(parseEvent(encodeEvent({ ...key, x5c: ['AAAA'] }))).toEqual({ ...key, x5c: ['AAAA'] })
  expect(encodeEvent(key)).not.toContain('x5c')
  expect(() => parseEvent(canonicalText({ ...key, x5c: ['AAAA', 'AAAA'] }))).toThrow()
})
