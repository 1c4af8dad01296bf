import type { Reporter, TestModule } from 'vitest/node'

/** Works beside the default reporter: names what was skipped and why, then one last line of totals. */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const totals = { passed: 0, failed: unhandled.length, skipped: 0 }
    const skips: string[] = []
    for (const module of modules) {
      let failedHere = 0
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') totals.passed++
        else if (result.state === 'failed') failedHere++
        else {
          totals.skipped++
          const why =
            (result.state === 'skipped' && result.note) || (module.ok() ? 'no reason given' : 'its file failed')
          skips.push(`skipped: ${test.fullName} (${why})`)
        }
      }
      // A file that cannot be loaded, or whose hooks fail, has failed although no test of it did.
      totals.failed += failedHere || (module.state() === 'failed' ? 1 : 0)
    }
    const line = `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`
    // A library that ends the process by itself must not make a failed run a good one.
    if (totals.failed > 0)
      process.once('exit', () => {
        process.exitCode ||= 1
      })
    // The default reporter prints its summary in the same round: the last line comes after it.
    setImmediate(() => process.stdout.write(`${[...skips, line].join('\n')}\n`))
  }
}
