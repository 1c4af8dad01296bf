import { existsSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Gives } from '../../../shared/contract/contract.ts'
import { CHECKS, type Check } from '../../../shared/contract/machine.ts'
import { asKeyriteError } from '../../../shared/errors.ts'
import { hexGroups } from '../../../shared/formats/fingerprint.ts'
import { assertSelfTest, SELF_TESTS } from '../../selftest/selftest.ts'
import type { AppContext } from '../context.ts'
import { appDigest } from './app-digest.ts'
import { CHECK_WORDS } from './check-words.ts'
import { type Finding, fail, named, pass, unknown } from './findings.ts'
import { NOT_TOLD, networksOrNotTold } from './networks.ts'
import { printers, probesOf } from './probes.ts'
import { room } from './volumes.ts'

/** Is this machine fit for a ceremony? Looks anew at each call and changes nothing. */

const GB = 1024 ** 3
/** A vault with thousands of keys, its backup on the way and the record take less. */
export const FREE_MIN = GB

type Id = Check['id']

/** Every check, in the order of the contract. A check that cannot be made is `unknown`, never passed. */
export async function checkMachine(app: AppContext): Promise<Gives<'readiness'>> {
  const looks = looksOf(app)
  const checks = await Promise.all(CHECKS.map(async (id) => checkOf(id, await looked(looks[id]))))
  return { checks, practice: app.view?.vault.anchor.practice ?? app.practice !== null }
}

function checkOf(id: Id, { state, found, fix }: Finding): Check {
  const words = CHECK_WORDS[id]
  return { id, state, title: words.title, found, why: words.why, fix: state === 'pass' ? '' : (fix ?? words.fix) }
}

async function looked(look: () => Finding | Promise<Finding>): Promise<Finding> {
  try {
    return await look()
  } catch {
    return unknown('Looking at this failed, so nothing is known.')
  }
}

function looksOf(app: AppContext): Record<Id, () => Finding | Promise<Finding>> {
  const probes = probesOf(process.platform)
  const folder = existing(app.view?.folder ?? app.home)
  return {
    network: () => networkFinding(networksOrNotTold(app), app.shell),
    'self-test': selfTestFinding,
    app: appFinding,
    'disk-encryption': () => probes.encryption(folder),
    swap: () => probes.swap(),
    hibernation: () => probes.hibernation(),
    'core-dumps': () => probes.coreDumps(),
    'free-space': () => freeFinding(room(folder).free),
    printer: () => printers(process.platform),
  }
}

/** The folder, or the nearest one above that exists: a home is made with the first vault. */
function existing(folder: string): string {
  let path = folder
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path)
  return realpathSync(path)
}

/** Neither shell can take a cable out; the browser shell needs this machine's own loopback besides. */
export function networkFinding(up: readonly string[], shell: AppContext['shell']): Finding {
  if (up.includes(NOT_TOLD)) return unknown('This machine does not say which network interfaces are up.')
  if (up.length > 0)
    return fail(
      `${up.length === 1 ? 'One network interface is' : `${up.length} network interfaces are`} up: ${named(up)}.`,
    )
  const browser = shell === 'browser' ? ' Screens and engine talk within this machine.' : ''
  return pass(`No network interface is up.${browser}`)
}

function selfTestFinding(): Finding {
  try {
    assertSelfTest()
    const count = new Set(SELF_TESTS.map(({ algorithm }) => algorithm)).size
    return pass(`${count} algorithms give their known answers.`)
  } catch (error) {
    return fail(asKeyriteError(error).message)
  }
}

async function appFinding(): Promise<Finding> {
  const { digest, covers } = await appDigest()
  return unknown(`${hexGroups(digest).join(' ')} is the SHA-256 of ${covers}.`)
}

export function freeFinding(free: number | null): Finding {
  if (free === null) return unknown('This machine does not say how much space is free.')
  const said = `${(Math.floor((free / GB) * 10) / 10).toLocaleString('en')} GB are free for vaults and records.`
  return free >= FREE_MIN ? pass(said) : fail(said)
}
