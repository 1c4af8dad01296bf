import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { serveLogins } from '../../docs/examples/oidc-provider.ts'
import { writeTrustAnchor } from '../../electron/handoff/statements.ts'
import { initRuntime } from '../../electron/issuer/init.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { openEnrollment } from '../../shared/formats/enrollment.ts'
import { parseStatementFile } from '../../shared/formats/statement-file.ts'
import { freePort, keyrite } from '../cli/run.ts'
import {
  ENVIRONMENT,
  makeHandoff,
  makeTenant,
  makeVault,
  pathsOf,
  RUNTIME_ID,
  temporaryFolder,
} from '../issuer/fixtures.ts'
import { authorize, exchange, fetchKeys, logIn, login, refusal } from './fixtures.ts'

/** A practice runtime with two tenants, by the real clock. */
async function makeStore(port: number) {
  const now = Math.floor(Date.now() / 1000)
  const folder = temporaryFolder()
  const vault = await makeVault({ practice: true })
  const dir = join(folder, 'issuer')
  const { enrollmentFile } = await initRuntime({
    dir,
    trustAnchorFile: writeTrustAnchor(folder, vault.anchor.jws, now),
    runtimeId: RUNTIME_ID,
    environment: ENVIRONMENT,
    listen: { host: '127.0.0.1', port: 0 },
    enrollmentFolder: folder,
    practice: true,
  })
  const { transportKey } = await openEnrollment(parseStatementFile(readFileSync(enrollmentFile)))
  const tenants = ['acme', 'globex'].map((name) =>
    makeTenant(name, { issuer: `http://127.0.0.1:${port}/t/${name}`, from: now }),
  )
  const times = { iat: now, exp: now + DAY }
  const handoff = await makeHandoff(vault, folder, tenants, { transportKey, manifest: times })
  const runtime = await openRuntime({ dir })
  await runtime.importFiles(pathsOf(handoff))
  await runtime.close()
  return { dir, issuers: tenants.map((tenant) => tenant.issuer) }
}

/** `keyrite issuer serve` in a process of its own, until the test ends. */
function serve(dir: string, port: number): void {
  let child: ChildProcess | undefined
  const onStart = (started: ChildProcess) => {
    child = started
  }
  const ended = keyrite(['issuer', 'serve', '--dir', dir, '--port', String(port)], { onStart })
  onTestFinished(async () => {
    child?.kill('SIGTERM')
    expect(await ended).toMatchObject({ status: 0 })
  })
}

/** The key set of this issuer as the process on that port answers it, in its bytes. */
function keySetAt(port: number, issuer: string): Promise<string> {
  const { host, pathname } = new URL(issuer)
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path: `${pathname}/.well-known/jwks.json`, headers: { host } })
    asked.once('error', reject).once('response', async (response) => {
      let body = ''
      for await (const chunk of response.setEncoding('utf8')) body += chunk
      resolve(body)
    })
    asked.end()
  })
}

it('logins and `issuer serve` share one store: the same keys in both, and a taint by a third process stops both', async () => {
  const port = await freePort()
  const { dir, issuers } = await makeStore(port)
  const [acme = '', globex = ''] = issuers
  const said: string[] = []
  const logins = issuers.map((issuer) => login(issuer, 'ES256'))
  const served = await serveLogins({ dir, logins, port, say: (line) => void said.push(line) })
  onTestFinished(() => served.close())
  const beside = await freePort()
  serve(dir, beside)
  await expect.poll(() => keySetAt(beside, acme).catch(() => ''), { timeout: 20_000 }).not.toBe('')

  const { kid } = await logIn(acme)
  for (const issuer of issuers)
    expect(await keySetAt(beside, issuer)).toBe(await (await fetch(`${issuer}/jwks`)).text())
  expect(await keySetAt(beside, acme)).toContain(kid)

  const code = await authorize(acme)
  const tainted = await keyrite(['issuer', 'taint', '--tenant', 'acme', '--kid', kid, '--dir', dir])
  expect(tainted.stderr).toBe('')
  const from = performance.now()
  expect(await refusal(exchange(code))).toEqual({ status: 500, error: 'server_error' })
  expect(performance.now() - from).toBeLessThan(1000)
  expect(said).toEqual([`A login at ${acme} failed: Key ${kid} of acme may not sign now.`])

  await keyrite(['issuer', 'taint', '--tenant', 'acme', '--kid', kid, '--withdraw', '--dir', dir])
  expect(await fetchKeys(acme)).toEqual({ keys: [] })
  expect(await keySetAt(beside, acme)).toBe('{"keys":[]}')
  expect((await logIn(globex)).sub).toBe('alice')
})
