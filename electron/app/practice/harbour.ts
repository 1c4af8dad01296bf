import type { PersonName } from '../../../shared/domain/roster.ts'

/** Who and what is in the practice vault that `--practice` makes ready. */

export const PEOPLE: readonly PersonName[] = [
  { id: 'ada', name: 'Ada Okafor', role: 'custodian' },
  { id: 'bruno', name: 'Bruno Keller', role: 'custodian' },
  { id: 'chiara', name: 'Chiara Rossi', role: 'custodian' },
  { id: 'devi', name: 'Devi Raman', role: 'custodian' },
  { id: 'emil', name: 'Emil Novak', role: 'custodian' },
  { id: 'farah', name: 'Farah Haddad', role: 'compliance' },
  { id: 'goran', name: 'Goran Petrov', role: 'administrator' },
]

/** Other algorithms, rotations and relying parties: the first keys of Acme and Northwind retire early. */
export const TENANTS = [
  {
    tenant: 'acme',
    name: 'Acme',
    issuer: 'https://acme.id.harbour.example',
    policy: { signingAlgorithms: ['ES256'], rotationInterval: '60d', materialAhead: 2 },
    relyingParties: [
      { name: 'Acme warehouse gateway', cache: '12h' },
      { name: 'Acme mobile backend', cache: '1h', refreshOnUnknownKid: true },
    ],
  },
  {
    tenant: 'contoso',
    name: 'Contoso',
    issuer: 'https://contoso.id.harbour.example',
    policy: { signingAlgorithms: ['ES384'], rotationInterval: '200d', horizon: 1, standby: 'cold' },
    relyingParties: [{ name: 'Contoso claims portal', cache: '24h' }],
  },
  {
    tenant: 'fabrikam',
    name: 'Fabrikam',
    issuer: 'https://fabrikam.id.harbour.example',
    policy: { signingAlgorithms: ['RS256'], rotationInterval: '180d', horizon: 1 },
    relyingParties: [{ name: 'Fabrikam order service', cache: '6h' }],
  },
  {
    tenant: 'northwind',
    name: 'Northwind',
    issuer: 'https://northwind.id.harbour.example',
    policy: { signingAlgorithms: ['Ed25519'], propagationTime: '10d', materialAhead: 2 },
    relyingParties: [{ name: 'Northwind partner interface', cache: '2h' }],
  },
] as const

/** Keys that were made ahead: no customer has them yet. */
export const RESERVED = {
  tenant: 'r-0201',
  issuer: 'https://r-0201.id.harbour.example',
  policy: { signingAlgorithms: ['ES256'], rotationInterval: '365d', horizon: 1 },
  reserved: true,
} as const

/** The runtime that serves the tenants, and the one whose enrollment waits on the medium. */
export const ENROLLED = 'issuer-east'
export const OFFERED = 'issuer-west'

export const BACKUP = { kind: 'backup', holder: 'Bruno Keller', place: 'Safe in the harbour office' } as const
