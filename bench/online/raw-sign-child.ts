import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** Nothing but crypto.sign with a cached key, as a token is long; prints as JSON how many a second. */
const [alg, seconds] = process.argv.slice(2)
const { privateKey } =
  alg === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })
const bytes = randomBytes(500)

const start = performance.now()
const end = start + Number(seconds) * 1000
let count = 0
while (performance.now() < end) {
  sign('sha256', bytes, privateKey)
  count += 1
}
process.stdout.write(JSON.stringify({ perSecond: (count / (performance.now() - start)) * 1000 }))
