import { randomInt } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { KeyriteError } from '../../../shared/errors.ts'
import { makeEmptyFolder, writeNewFile } from '../../files/write.ts'

/** The rehearsal's folder, people, tenants and plans. */

export type Folders = {
  out: string
  vault: string
  passphrases: string
  media: string
  issuer: string
  records: string
  evidence: string
}

/** Codes `folder-not-empty`, `medium-full`, `medium-failed`. */
export function prepareFolders(out: string): Folders {
  makeEmptyFolder(out)
  const folders = {
    out,
    vault: join(out, 'vault', 'rehearsal.vault'),
    passphrases: join(out, 'passphrases'),
    media: join(out, 'handoff'),
    issuer: join(out, 'issuer'),
    records: join(out, 'records'),
    evidence: join(out, 'evidence'),
  }
  for (const folder of [join(out, 'vault'), folders.passphrases, folders.media, folders.records])
    mkdirSync(folder, { mode: 0o700 })
  return folders
}

/** Finds out at the very beginning whether the issuer will be able to listen. Code `port-in-use`. */
export function checkPort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (cause) =>
      reject(
        new KeyriteError('port-in-use', `Port ${port} on 127.0.0.1 is taken by another program.`, {
          cause,
          hint: 'Stop what listens there, or choose another port with --issuer-port.',
        }),
      ),
    )
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()))
  })
}

export const THRESHOLD = 3
export const PEOPLE = [
  { id: 'ada', name: 'Ada Okafor', role: 'custodian' },
  { id: 'bruno', name: 'Bruno Keller', role: 'custodian' },
  { id: 'chiara', name: 'Chiara Rossi', role: 'custodian' },
  { id: 'devi', name: 'Devi Raman', role: 'custodian' },
  { id: 'emil', name: 'Emil Novak', role: 'custodian' },
  { id: 'farah', name: 'Farah Haddad', role: 'compliance' },
  { id: 'goran', name: 'Goran Petrov', role: 'administrator' },
] as const

/** Six words each (66 bits), one file per person, readable by its owner alone. */
export function writePassphrases(folder: string): Map<string, string> {
  return new Map(
    PEOPLE.map(({ id }) => {
      const passphrase = Array.from({ length: 6 }, () => wordlist[randomInt(wordlist.length)]).join(' ')
      writeNewFile(join(folder, id), `${passphrase}\n`)
      return [id, passphrase]
    }),
  )
}

const NAMES = ['Contoso', 'Fabrikam', 'Northwind']
const KINDS = [
  { signingAlgorithms: ['RS256'], rotationInterval: '90d', materialAhead: 1 },
  { signingAlgorithms: ['PS256'], rotationInterval: '90d', propagationTime: '10d', materialAhead: 1 },
  { signingAlgorithms: ['ES256'], rotationInterval: '60d', materialAhead: 2, accessTokenLifetime: '30m' },
] as const

/** The longest that a relying party of the rehearsal keeps a key set. */
export const CACHE_SECONDS = 12 * 3600

/** Tenants of three kinds in turn: another algorithm, another rotation, other relying parties. */
export function tenantsToOnboard(count: number, port: number) {
  return Array.from({ length: count }, (_, index) => {
    const name = NAMES[index] ?? `Tenant ${index + 1}`
    const tenant = name.toLowerCase().replace(' ', '-')
    return {
      tenant,
      name,
      issuer: `http://127.0.0.1:${port}/t/${tenant}`,
      policy: KINDS[index % KINDS.length],
      relyingParties: [{ name: `${name} gateway`, cache: '12h' }],
    }
  })
}
