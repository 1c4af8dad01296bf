/** An engine whose app answers a few methods that tests need; everything around the app is real. */
import { type ParentPort, runEngine } from '../../electron/desktop/engine-process.ts'
import { generateKeys } from '../../electron/keys/generator.ts'
import { digest } from '../../shared/formats/bytes.ts'

const { parentPort } = process as unknown as { parentPort: ParentPort }

runEngine(
  parentPort,
  async ({ home, practice, shell }) => {
    if (home === '/fails') throw new Error('a secret that nobody may see')
    let listener: (notice: never) => void = () => {}
    return {
      call: async (method, input) => {
        if (method === 'dies') process.exit(7)
        if (method === 'rambles') parentPort.postMessage({ say: 'anything' })
        if (method === 'hangs') await new Promise(() => {})
        if (method === 'tells') listener({ tell: 'refused-call', why: 'as asked' } as never)
        if (method !== 'generates') return { ok: true, value: { method, input, home, practice, shell } }
        const { tenants, timeoutMs } = input as { tenants: string[]; timeoutMs?: number }
        const jobs = tenants.map((tenant) => ({ tenant, specs: ['ES256', 'Ed25519'] as const }))
        try {
          const made = await generateKeys(jobs, { parallel: 2, ...(timeoutMs && { timeoutMs }) })
          const value = [...made].map(([tenant, { keys, generator }]) => ({
            tenant,
            generator,
            keys: keys.map(({ spec, pkcs8, jwk }) => ({ spec, jwk, digest: digest(pkcs8) })),
          }))
          return { ok: true, value }
        } catch (error) {
          const { code, message, lost, hint } = error as never
          return { ok: false, error: { code, message, lost, hint } }
        }
      },
      subscribe: (heard) => {
        listener = heard as typeof listener
        return () => {}
      },
      close: async () => {
        if (home === '/slow') await new Promise((resolve) => setTimeout(resolve, 60_000))
      },
    }
  },
  (status) => process.exit(status),
)
