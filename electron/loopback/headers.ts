import { PERMISSIONS_POLICY, screenPolicy } from '../app/content-policy.ts'

/** What every answer carries, so that the browser itself refuses what this shell never asks for. */

/** As in Electron, but for `connect-src`: the page talks to this server and to nobody else. */
export const APP_POLICY = screenPolicy("'self'")

export const HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': APP_POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': PERMISSIONS_POLICY,
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'X-Frame-Options': 'DENY',
}
