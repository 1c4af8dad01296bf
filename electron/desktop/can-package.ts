import { archiveProblem } from './archive.ts'

/** `npm run package` and `npm run make` begin here: one plain message instead of a failure half way. */

const { platform, arch, env } = process
const problem = await archiveProblem({ platform, arch, env })
if (problem !== null) {
  process.stderr.write(`${problem}\n`)
  process.exitCode = 1
}
