import type { Fingerprint } from '../../../shared/contract/common.ts'

/** A digest as the fingerprint block takes it: base64url, from groups of hex digits. */
export function digestOf({ hex }: Fingerprint): string {
  const bytes = Uint8Array.from(hex.join('').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}
