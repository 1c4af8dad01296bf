import type { KeyStatus, Status, TenantStatus } from '../../../electron/issuer/status.ts'
import { DAY } from '../../../shared/domain/policy.ts'

/** States of a runtime, as `issuer status` tells them. */

export const NOW = 1_772_323_200

export const keyStatus = (change: Partial<KeyStatus> = {}): KeyStatus => ({
  kid: 'kid-1',
  label: 'acme-es256-2026-02',
  spec: 'ES256',
  phase: 'signing',
  announceAt: NOW - 40 * DAY,
  signFrom: NOW - 10 * DAY,
  signUntil: NOW + 20 * DAY,
  extendUntil: NOW + 27 * DAY,
  removeAt: NOW + 40 * DAY,
  hasPrivate: true,
  tainted: false,
  withdrawn: false,
  imported: false,
  ...change,
})

export const tenantStatus = (tenant: string, change: Partial<TenantStatus> = {}): TenantStatus => ({
  tenant,
  name: tenant,
  issuer: `https://${tenant}.example.com`,
  jwksUri: `https://${tenant}.example.com/.well-known/jwks.json`,
  tokenEndpoint: `https://${tenant}.example.com/token`,
  signingKids: ['kid-1'],
  phases: [keyStatus()],
  nextChange: NOW + 3600,
  propagation: null,
  scheduleEnds: NOW + 20 * DAY,
  ...change,
})

export const statusOf = (tenants: TenantStatus[], change: Partial<Status> = {}): Status => ({
  runtimeId: 'eu-one',
  environment: 'production',
  practice: false,
  vaultId: 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6',
  bundle: { number: 7, at: NOW - DAY },
  clock: { now: NOW, hold: null },
  receiptsNotExported: 3,
  tenants,
  offboarded: [],
  ...change,
})
