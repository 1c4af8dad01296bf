import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)

it('the primary adds its workers up, and a dead worker takes none of its counts away', async () => {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, 'cluster-process.ts')], { timeout: 30_000 })
  const { both, one }: { both: string; one: string } = JSON.parse(stdout)
  for (const text of [both, one]) {
    expect(text).toContain('keyrite_tokens_issued_total{tenant="acme",client="one",algorithm="ES256"} 3')
    expect(text).toContain('keyrite_tokens_issued_total{tenant="acme",client="two",algorithm="ES256"} 3')
    expect(text).toContain('keyrite_tokens_issued_total{tenant="acme",client="shared",algorithm="ES256"} 2')
    expect(text).toContain('keyrite_signing_keys{tenant="acme"} 1')
    expect(text.match(/^# TYPE keyrite_tokens_issued_total /gm)).toHaveLength(1)
    expect(text).toContain('process_cpu_seconds_total')
  }
  expect(both).toContain('keyrite_request_duration_seconds_count{endpoint="token"} 2')
  expect(one).toContain('keyrite_request_duration_seconds_count{endpoint="token"} 1')
})
