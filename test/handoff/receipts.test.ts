import { generateKeyPairSync, sign } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeLines } from '../../electron/files/lines.ts'
import { readReceipts } from '../../electron/handoff/receipts.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { ed25519JwkSchema } from '../../shared/formats/jws.ts'
import { type Receipt, type Stated, signReceipt } from '../../shared/formats/receipt.ts'
import { codeOf, makeRoot, T0, temporaryFolder } from '../issuer/fixtures.ts'

const pair = generateKeyPairSync('ed25519')
const jwk = ed25519JwkSchema.parse(pair.publicKey.export({ format: 'jwk' }))
const signer = { kid: thumbprint(jwk), jwk, sign: (input: Uint8Array) => sign(null, input, pair.privateKey) }
const offer: Stated = { type: 'transport-key-offered', key: (await makeRoot()).jwk }
const other: Stated = { type: 'clock-confirmed', actor: 'somebody' }

/** A chain whose last receipt is an offer. `change` may spoil a receipt before it is signed. */
function chain(length: number, change: (receipt: Receipt) => Partial<Receipt> = () => ({})): string[] {
  const lines: string[] = []
  for (let seq = 1; seq <= length; seq++) {
    const last = lines.at(-1)
    const stated = seq === length ? offer : other
    const receipt: Receipt = { runtimeId: 'eu-one', seq, prev: last ? digest(last) : null, at: T0 + seq, stated }
    lines.push(signReceipt({ ...receipt, ...change(receipt) }, false, signer))
  }
  return lines
}

async function read(lines: string[], after: { seq: number; digest: string } | null = null) {
  const path = join(temporaryFolder(), 'receipts')
  writeLines(path, lines)
  return readReceipts(path, { signer, runtimeId: 'eu-one', after, practice: false })
}
const headAt = (lines: string[], seq: number) => ({ seq, digest: digest(lines[seq - 1] ?? '') })

describe('receipts', () => {
  it('are read as a chain, from the beginning or from what was taken before, with an overlap or without', async () => {
    const lines = chain(5)
    expect(await read(lines)).toMatchObject({ head: headAt(lines, 5), offered: offer.key })
    for (const from of [0, 1, 2, 3]) {
      const { receipts, head } = await read(lines.slice(from), headAt(lines, 3))
      expect(receipts.map((one) => one.seq)).toEqual([4, 5])
      expect(head).toEqual(headAt(lines, 5))
    }
  })

  it('of which all were taken before give nothing new', async () => {
    const lines = chain(5)
    expect(await read(lines, headAt(lines, 5))).toMatchObject({
      receipts: [],
      head: headAt(lines, 5),
      offered: offer.key,
    })
    const older = chain(3)
    expect(await read(older, headAt(lines, 5))).toMatchObject({ receipts: [], head: headAt(lines, 5), offered: null })
  })

  it('that begin too late are receipts-gap and name the missing ones', async () => {
    const lines = chain(5)
    await expect(read(lines.slice(3), headAt(lines, 1))).rejects.toThrow('Receipts 2 to 3 are missing.')
    expect(await codeOf(() => read(lines.slice(1)))).toBe('receipts-gap')
    expect(await codeOf(() => read([...lines.slice(0, 2), ...lines.slice(3)]))).toBe('receipts-gap')
  })

  it('that tell another story are receipts-forked', async () => {
    const lines = chain(5)
    const forked = chain(5, ({ seq }) => (seq === 2 ? { at: 1 } : {}))
    expect(await codeOf(() => read(forked, headAt(lines, 3)))).toBe('receipts-forked')
    expect(await codeOf(() => read(forked.slice(3), headAt(lines, 3)))).toBe('receipts-forked')
    expect(await codeOf(() => read([...lines.slice(0, 2), ...forked.slice(2)]))).toBe('receipts-forked')
    expect(await codeOf(() => read([...lines.slice(0, 2), ...lines.slice(1)]))).toBe('receipts-forked')
    expect(await codeOf(() => read(chain(2, ({ seq }) => (seq === 1 ? { prev: 'A'.repeat(43) } : {}))))).toBe(
      'receipts-forked',
    )
    expect(await codeOf(() => read(chain(3, ({ seq }) => (seq === 3 ? { prev: null } : {}))))).toBe('receipts-forked')
  })

  it('of another runtime, another key, another mode, or without an offer at the end are refused', async () => {
    const lines = chain(3)
    expect(await codeOf(() => read(chain(3, () => ({ runtimeId: 'us-one' }))))).toBe('audience-wrong')
    expect(await codeOf(() => read(lines.slice(0, 2)))).toBe('format-invalid')
    expect(await codeOf(() => read([]))).toBe('format-invalid')
    const path = join(temporaryFolder(), 'receipts')
    writeLines(path, lines)
    const expected = { signer, runtimeId: 'eu-one', after: null, practice: false }
    expect(await codeOf(() => readReceipts(path, { ...expected, practice: true }))).toBe('practice-refused')
    const stranger = ed25519JwkSchema.parse(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }))
    const foreign = { kid: signer.kid, jwk: stranger }
    expect(await codeOf(() => readReceipts(path, { ...expected, signer: foreign }))).toBe('signature-invalid')
  })
})
