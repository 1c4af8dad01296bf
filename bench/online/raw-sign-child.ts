import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { Load } from './load.ts'

/** Nothing but crypto.sign with a cached key, as a token is long; prints as JSON what a server's load would tell. */
export type RawSigning = Pick<Load, 'perSecond' | 'cpuEach' | 'cores'>

const [alg, seconds] = process.argv.slice(2)
const { privateKey } =
  alg === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })
const bytes = randomBytes(500)

const [before, start] = [process.cpuUsage(), performance.now()]
const end = start + Number(seconds) * 1000
let count = 0
while (performance.now() < end) {
  sign('sha256', bytes, privateKey)
  count += 1
}
const ms = performance.now() - start
const { user, system } = process.cpuUsage(before)
const cpuMs = (user + system) / 1000
const said: RawSigning = { perSecond: (count / ms) * 1000, cpuEach: cpuMs / count, cores: cpuMs / ms }
process.stdout.write(JSON.stringify(said))
