import { Command } from 'commander'
import { importJWK } from 'jose'
import { z } from 'zod'
import { KeyriteError, must } from '../../shared/errors.ts'
import { fromUtf8, wipe } from '../../shared/formats/bytes.ts'
import { EXPORT_MAX, openExport, RECIPIENT_MAX, readExportHeader } from '../../shared/formats/exported-key.ts'
import { hexGroups, thumbprint, words } from '../../shared/formats/fingerprint.ts'
import { parseAs, parseJson } from '../../shared/formats/json.ts'
import { p256JwkSchema } from '../../shared/formats/jws.ts'
import { readFileGuarded } from '../files/read.ts'
import { writeNewFile } from '../files/write.ts'
import { readRecipient } from '../handoff/export-key.ts'
import { text } from './open-vault.ts'
import { type Answer, answering } from './output.ts'

/** The recipient's side of an export: the fingerprint to read aloud, and opening the file. */

type Options = Record<string, unknown>

export function exportedKeyCommands(): Command[] {
  return [
    new Command('fingerprint')
      .argument('<file>', 'a public P-256 JWK')
      .description("the fingerprint of a recipient's key, to read aloud")
      .action(answering(fingerprint)),
    new Command('open-export')
      .argument('<file>', 'an export, export-….jwe')
      .description('open an exported key as its recipient')
      .requiredOption('--key <file>', 'the private P-256 JWK of the recipient')
      .requiredOption('--out <file>', 'where the private key goes, mode 0600; never overwritten')
      .action(answering(openExported)),
  ]
}

async function fingerprint([file = '']: string[]): Promise<Answer> {
  const { fingerprint } = readRecipient(file)
  const hex = hexGroups(fingerprint)
  const said = words(fingerprint)
  const rows = [0, 6, 12, 18].map((at) => `  ${said.slice(at, at + 6).join('  ')}`)
  const lines = [`  ${hex.slice(0, 8).join(' ')}`, `  ${hex.slice(8).join(' ')}`, ...rows]
  return { data: { fingerprint, hex, words: said }, text: lines.join('\n') }
}

const privateSchema = z.looseObject({ ...p256JwkSchema.shape, d: z.string() })

async function openExported([file = '']: string[], options: Options): Promise<Answer> {
  const jwe = fromUtf8(readFileGuarded(file, EXPORT_MAX)).trim()
  const { number, format, vaultId } = readExportHeader(jwe)
  const given = readFileGuarded(text(options['key']) ?? '', RECIPIENT_MAX)
  const jwk = parseAs(privateSchema, parseJson(given, { maxBytes: RECIPIENT_MAX, maxDepth: 4 }), 'private P-256 JWK')
  const { kty, crv, x, y, d } = jwk
  const out = text(options['out']) ?? ''
  const content = await openExport(jwe, thumbprint({ kty, crv, x, y }), await privateKey({ kty, crv, x, y, d }))
  try {
    writeNewFile(out, content)
  } finally {
    wipe(content)
  }
  return {
    data: { number, format, vaultId, out },
    text: `Export ${number} is open: a private key as ${format}, in ${out}. Take it into the issuer, then destroy this file.`,
  }
}

async function privateKey(jwk: JsonWebKey): Promise<CryptoKey> {
  try {
    const key = await importJWK({ ...jwk }, 'ECDH-ES')
    must(!(key instanceof Uint8Array), 'format-invalid', 'This is not a private P-256 JWK.')
    return key
  } catch (cause) {
    throw new KeyriteError('format-invalid', 'This is not a private P-256 JWK.', { cause })
  }
}
