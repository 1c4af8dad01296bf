import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  concat,
  digest,
  equalBytes,
  fromBase64url,
  fromUtf8,
  sha256,
  toBase64url,
  toHex,
  utf8,
  wipe,
} from '../../shared/formats/bytes.ts'
import { fileName } from '../../shared/formats/file-name.ts'
import { hexGroups, shortHex, thumbprint, words } from '../../shared/formats/fingerprint.ts'
import { canonicalBytes, canonicalText, parseJson } from '../../shared/formats/json.ts'
import { MerkleTree } from '../../shared/formats/merkle.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))

describe('bytes', () => {
  it.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('RFC 4648 section 10 without padding: %j is %j', (text, encoded) => {
    expect(toBase64url(utf8(text))).toBe(encoded)
    expect(fromUtf8(fromBase64url(encoded))).toBe(text)
  })

  it('FIPS 180-4: SHA-256 of "abc" and of nothing, and what node:crypto says of anything', () => {
    expect(toHex(sha256('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(toHex(sha256(''))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(digest(bytes)).toBe(createHash('sha256').update(bytes).digest('base64url'))
      }),
    )
  })

  it('long values keep every byte; comparing looks at all of them; wiping leaves zeros', () => {
    const long = new Uint8Array(100_000).map((_, at) => at)
    expect(equalBytes(fromBase64url(toBase64url(long)), long)).toBe(true)
    expect(equalBytes(long, long.slice(1))).toBe(false)
    expect(equalBytes(utf8('abc'), utf8('abd'))).toBe(false)
    expect([...concat(utf8('a'), new Uint8Array(), utf8('b'))]).toEqual([97, 98])
    wipe(long, undefined)
    expect(long.every((byte) => byte === 0)).toBe(true)
  })
})

describe('canonical JSON (RFC 8785)', () => {
  it('section 3.2.2: the sample object', () => {
    const sample = {
      // biome-ignore lint/correctness/noPrecisionLoss: the digits are those of the RFC
      numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    }
    expect(canonicalText(sample)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })

  it('section 3.2.3: names are sorted by UTF-16 code units', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6']
    const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']
    const text = canonicalText(Object.fromEntries(names.map((name) => [name, 0])))
    expect(Object.keys(JSON.parse(text)).sort()).toEqual([...sorted].sort())
    expect(text).toBe(`{${sorted.map((name) => `${JSON.stringify(name)}:0`).join(',')}}`)
  })

  it('appendix B: numbers', () => {
    const cases: [number, string][] = [
      [0, '0'],
      [5e-324, '5e-324'],
      [1.7976931348623157e308, '1.7976931348623157e+308'],
      [9007199254740991, '9007199254740991'],
      [1e21, '1e+21'],
      [1e-7, '1e-7'],
      [0.000001, '0.000001'],
    ]
    for (const [number, text] of cases) expect(canonicalText([number])).toBe(`[${text}]`)
  })

  it('is the same for every order of members, and parses back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse())
        expect(canonicalText(turned)).toBe(canonicalText(value))
        expect(parseJson(canonicalBytes(value), { maxBytes: 100_000 })).toEqual({ ...value })
      }),
    )
  })
})

describe('fingerprints', () => {
  it('RFC 7638 section 3.1: the thumbprint of the example key', () => {
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
    expect(thumbprint({ kty: 'RSA', n, e: 'AQAB' })).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  })

  it('RFC 8037 appendix A.3: the thumbprint of the Ed25519 key', () => {
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
    expect(thumbprint({ kty: 'OKP', crv: 'Ed25519', x })).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  it('takes only the members that RFC 7638 section 3.2 names', () => {
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
    const more = { kty: 'OKP', crv: 'Ed25519', x, kid: 'other', use: 'sig' } as const
    expect(thumbprint(more)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  it.each([
    ['00', 'abandon', 'art'],
    ['7f', 'legal', 'title'],
    ['80', 'letter', 'bless'],
    ['ff', 'zoo', 'vote'],
  ])('24 words are those of the BIP-39 vector of 32 times %s', (byte, first, last) => {
    const said = words(toBase64url(hex(byte.repeat(32))))
    expect(said).toHaveLength(24)
    expect([said[0], said[23]]).toEqual([first, last])
  })

  it('keep leading zeros', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(31), (bytes, zeros) => {
        bytes.fill(0, 0, zeros)
        const text = toBase64url(bytes)
        expect(hexGroups(text)).toHaveLength(16)
        expect(hexGroups(text).join('')).toBe(toHex(bytes).toUpperCase())
        expect(shortHex(text)).toBe(`${toHex(bytes).slice(0, 4)} ${toHex(bytes).slice(4, 8)}`.toUpperCase())
        expect(words(text)).toHaveLength(24)
      }),
    )
  })

  it('name files by type, content and time', () => {
    expect(fileName('bundle', 'abc', 1_781_014_742)).toBe('bundle-ba7816bf-20260609T141902Z.keyrite')
  })
})

/** RFC 9162 section 2.1.1, word by word. */
function treeHash(leaves: Uint8Array[]): Uint8Array {
  const hash = (...parts: Uint8Array[]) => Uint8Array.from(createHash('sha256').update(Buffer.concat(parts)).digest())
  const [only] = leaves
  if (only === undefined) return hash()
  if (leaves.length === 1) return hash(Uint8Array.of(0), only)
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return hash(Uint8Array.of(1), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)))
}

describe('Merkle trees (RFC 9162 section 2.1.1)', () => {
  const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]
  it.each(roots.map((root, size) => [size, root] as const))(
    'the tree of %i leaves of the Certificate Transparency test data',
    (size, root) => {
      const tree = new MerkleTree()
      for (const leaf of leaves.slice(0, size)) tree.add(hex(leaf))
      expect(toHex(tree.root())).toBe(root)
    },
  )

  it('of any leaves is the one of the definition, and asking for it changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 70 }), (data) => {
        const tree = new MerkleTree()
        for (const leaf of data) {
          tree.add(leaf)
          tree.root()
        }
        expect(toHex(tree.root())).toBe(toHex(treeHash(data)))
      }),
    )
  })

  it('differs when a leaf is moved between levels (RFC 9162 section 2.1.1, domain separation)', () => {
    const two = new MerkleTree()
    two.add(utf8('a'))
    two.add(utf8('b'))
    const one = new MerkleTree()
    one.add(concat(sha256(concat(Uint8Array.of(0), utf8('a'))), sha256(concat(Uint8Array.of(0), utf8('b')))))
    expect(toHex(one.root())).not.toBe(toHex(two.root()))
  })
})
