import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SignatureChecks } from '../../electron/vault/signatures.ts'

const person = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { privateKey, x: publicKey.export({ format: 'jwk' }).x ?? '' }
}
const [ada, emmy] = [person(), person()]
const input = (seq: number) => `signed ${String(seq).padStart(6, '0')}`

/** Checks events 1 to `count`, every third by Emmy, all signed by whom they name but those in `broken`. */
async function check(count: number, broken: readonly number[]) {
  const checks = new SignatureChecks()
  try {
    for (let seq = 1; seq <= count; seq++) {
      const [signer, other] = seq % 3 === 0 ? [emmy, ada] : [ada, emmy]
      const key = broken.includes(seq) ? other.privateKey : signer.privateKey
      checks.add(seq, input(seq), sign(null, Buffer.from(input(seq)), key).toString('base64url'), signer.x)
    }
    return [await checks.firstBroken(), checks.count]
  } finally {
    checks.close()
  }
}

describe('the signatures of a log are all checked, and the first that does not hold is named', () => {
  it.each([
    ['no event', 0, [], Number.POSITIVE_INFINITY],
    ['a short log', 20, [], Number.POSITIVE_INFINITY],
    ['a short log with two that do not hold', 20, [18, 7], 7],
    ['a log of many batches', 1700, [], Number.POSITIVE_INFINITY],
    ['the very first of many batches', 1700, [1], 1],
    ['one in the middle of many batches', 1700, [1117], 1117],
    ['the last, in the rest that fills no batch', 1700, [1700], 1700],
    ["two people's, in different batches: the lower number, whoever's batch comes first", 1700, [900, 700], 700],
  ])('%s', async (_what, count, broken, expected) => {
    expect(await check(count, broken)).toEqual([expected, count])
  })

  it('a thread that fails is no thread that found nothing', async () => {
    const checks = new SignatureChecks()
    try {
      for (let seq = 1; seq <= 600; seq++) checks.add(seq, input(seq), 'A'.repeat(86), 'no public key')
      await expect(checks.firstBroken()).rejects.toThrow()
    } finally {
      checks.close()
    }
  })
})
