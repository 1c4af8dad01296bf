import { utcStamp } from '../domain/utc.ts'
import { sha256, toHex } from './bytes.ts'

export type FileType =
  | 'trust-anchor'
  | 'export'
  | 'succession'
  | 'enrollment'
  | 'bundle'
  | 'revocation'
  | 'material'
  | 'envelope'
  | 'receipts'
  | 'certificate'
  | 'head-card'
  | 'share'

/** `bundle-1f0c9a2e-20260609T141902Z.keyrite`: the type, 8 hex digits of the content's SHA-256, the time (seconds UTC). */
export function fileName(type: FileType, content: Uint8Array | string, at: number, extension = 'keyrite'): string {
  return `${type}-${toHex(sha256(content)).slice(0, 8)}-${utcStamp(at)}.${extension}`
}
