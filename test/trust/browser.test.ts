import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { build } from 'vite'
import { expect, it } from 'vitest'
import type { openTrustPolicy } from '../../shared/trust/policy.ts'
import type { createTrustContext, verify } from '../../shared/trust/verify.ts'
import { temporaryFolder } from '../issuer/fixtures.ts'
import { issuerPolicy, JWKS, jwksOf, KeyServer, makeKey, NOW, policyOf, tokenOf } from './world.ts'

/** shared/trust where Node is not: built for the web, and run with nothing but what every browser has. */

const WEB = { crypto, fetch, Response, Headers, URL, TextEncoder, TextDecoder, AbortSignal, CryptoKey, atob, btoa }

type Trust = {
  openTrustPolicy: typeof openTrustPolicy
  createTrustContext: typeof createTrustContext
  verify: typeof verify
}

async function inTheWeb(): Promise<Trust> {
  const trust = join(import.meta.dirname, '../../shared/trust')
  const entry = join(temporaryFolder(), 'entry.ts')
  const lines = ['policy', 'verify'].map((name) => `export * from ${JSON.stringify(join(trust, `${name}.ts`))}\n`)
  writeFileSync(entry, lines.join(''))
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, minify: false, lib: { entry, formats: ['iife'], name: 'trust' } },
  })
  const [first] = [built].flat()
  const [chunk] = first && 'output' in first ? first.output : []
  // One kind of bytes inside and outside, so that `instanceof` holds for what fetch and WebCrypto give.
  const page = createContext({ ...WEB, Uint8Array, ArrayBuffer })
  runInContext(chunk?.code ?? '', page)
  return runInContext('trust', page)
}

it('allows and denies there as here', async () => {
  const trust = await inTheWeb()
  const server = await KeyServer.start()
  const key = makeKey('ES256')
  server.answers.set(JWKS, jwksOf(key))
  const policy = await trust.openTrustPolicy(JSON.stringify(policyOf(issuerPolicy())))
  const context = trust.createTrustContext(policy, { fetch: server.fetch, now: () => NOW })
  expect(await trust.verify(tokenOf(key), context)).toMatchObject({ allow: true })
  expect(await trust.verify(tokenOf(key, { aud: 'other' }), context)).toMatchObject({ reason: 'audience-wrong' })
  expect(await trust.verify(tokenOf(makeKey('ES256')), context)).toMatchObject({ reason: 'key-unknown' })
})
