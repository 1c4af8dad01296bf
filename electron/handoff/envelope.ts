import { join } from 'node:path'
import type { Pin } from '../../shared/formats/bundle-file.ts'
import { digest, fromUtf8, wipe } from '../../shared/formats/bytes.ts'
import {
  ENVELOPE_CAPS,
  type Envelope,
  envelopeBinding,
  openEnvelope,
  signEnvelope,
} from '../../shared/formats/envelope.ts'
import { fileName } from '../../shared/formats/file-name.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { sealTo } from '../../shared/formats/jwe.ts'
import type { P256Jwk, StatementSigner } from '../../shared/formats/jws.ts'
import { materialTyp } from '../../shared/formats/material.ts'
import { readLinesGuarded } from '../files/read.ts'
import { writeNewFile } from '../files/write.ts'

/** Files of sealed emergency envelopes. */

type EnvelopeToWrite = {
  envelope: Omit<Envelope, 'transportKey' | 'sealed'>
  /** The transport key that the runtime keeps for this envelope. */
  transportKey: P256Jwk
  /** PKCS#8 DER of the standby key; wiped once it is sealed. */
  pkcs8: Uint8Array
  root: StatementSigner
  practice: boolean
}

/** Writes one envelope into `folder` and gives its path and digest. Codes of `writeNewFile`. */
export async function writeEnvelope(
  folder: string,
  { envelope: said, transportKey, pkcs8, root, practice }: EnvelopeToWrite,
): Promise<{ path: string; digest: string }> {
  const kid = thumbprint(transportKey)
  try {
    const sealed = await sealTo({ kid, jwk: transportKey }, materialTyp(practice), pkcs8, envelopeBinding(said))
    const envelope = { ...said, transportKey: kid, sealed: digest(sealed) }
    const text = `${await signEnvelope(envelope, practice, root)}\n${sealed}\n`
    const path = join(folder, fileName('envelope', text, said.iat))
    writeNewFile(path, text)
    return { path, digest: digest(text) }
  } finally {
    wipe(pkcs8)
  }
}

/** Reads and checks an envelope without opening the key in it. Codes of `readLinesGuarded` and `openEnvelope`. */
export const readEnvelope = (path: string, pin: Pin): Promise<{ envelope: Envelope; sealed: string }> =>
  openEnvelope(Array.from(readLinesGuarded(path, ENVELOPE_CAPS), fromUtf8), pin)
