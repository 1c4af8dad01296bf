import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { MadeKeys, Ports } from '../../../electron/ceremony/ports.ts'
import { KEY_SPECS, type KeySpec, type PublicJwk } from '../../../shared/domain/algorithms.ts'

let tested: string | undefined

/**
 * Makes keys in this process, and runs the machine's self-test once. The generator's own processes and the self-test
 * change nothing in the room and cost most of the time.
 */
export function quickKeys<P extends Pick<Ports, 'makeKeys' | 'selfTest'>>(ports: P): P {
  const selfTest: Ports['selfTest'] = () => {
    tested ??= ports.selfTest()
    return tested
  }
  const makeKeys: Ports['makeKeys'] = async (jobs) =>
    new Map(
      jobs.map(({ tenant, specs }): [string, MadeKeys] => [
        tenant,
        { node: process.versions.node, openssl: process.versions.openssl, keys: specs.map(newKey) },
      ]),
    )
  return { ...ports, makeKeys, selfTest }
}

function newKey(spec: KeySpec) {
  const { privateKey, publicKey } = newPair(spec)
  const pkcs8 = new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' }))
  return { spec, pkcs8, jwk: publicKey.export({ format: 'jwk' }) as PublicJwk }
}

function newPair(spec: KeySpec): { privateKey: KeyObject; publicKey: KeyObject } {
  const row = KEY_SPECS[spec]
  if (row.kty === 'RSA') return generateKeyPairSync('rsa', { modulusLength: row.bits })
  if (row.kty === 'EC') return generateKeyPairSync('ec', { namedCurve: row.crv })
  return generateKeyPairSync('ed25519')
}
