import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { utf8 } from '../../shared/formats/bytes.ts'
import { openCertificate } from '../../shared/formats/certificate.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import type { DeskPort, MadeKeys, MediaPort, Ports, ShownCard, WrittenFile } from '../ceremony/ports.ts'
import { certificateFiles, type Files, inventoryFiles, writeRecordFolder } from '../evidence/write-record.ts'
import { readFileGuarded } from '../files/read.ts'
import { makeFolder, removeUnfinished, tryRemove } from '../files/write.ts'
import { readBundle, writeBundle } from '../handoff/bundle.ts'
import { readEnvelope, writeEnvelope } from '../handoff/envelope.ts'
import { readRecipient, removeExport, writeExport } from '../handoff/export-key.ts'
import { removeLeftovers } from '../handoff/leftovers.ts'
import { readMaterial, writeMaterial } from '../handoff/material.ts'
import { readReceipts } from '../handoff/receipts.ts'
import { readRevocation, writeRevocation } from '../handoff/revocation.ts'
import { readStatement, writeSuccession, writeTrustAnchor } from '../handoff/statements.ts'
import { stirIn } from '../keys/dice.ts'
import { encodeKeys } from '../keys/encode.ts'
import { generateKeys } from '../keys/generator.ts'
import { KEY_FILE_MAX, readKeyFile } from '../keys/import.ts'
import { assertSelfTest, SELF_TESTS } from '../selftest/selftest.ts'
import { createVault } from '../vault/create.ts'
import type { Quorum } from '../vault/quorum.ts'
import { automatedDesk } from './automated-desk.ts'
import { copiesAt } from './copies.ts'
import type { Reporter } from './reporter.ts'

/** Connects ceremonies to the real vault, generator, media and clock. */

export type Room = {
  /** The folder that files are carried in, both ways. */
  media: string
  /** Where record folders go. */
  records: string
  /** Where share files of custodians with a medium of their own go: the medium unless told. */
  shares?: string
  /** Where a new vault goes, and everybody's passphrases: only for a genesis. */
  newVault?: { folder: string; passphrases: ReadonlyMap<string, string> }
  now: () => number
  /** Seconds of a clock that nobody can set; `now` unless told, for clocks that only a program moves. */
  elapsed?: () => number
  /** The people at the table; answered by software unless told. */
  desk?: DeskPort
  /** For the automated desk: a head card (a root-signed checkpoint), secrets by name, rolls of dice. */
  headCard?: ShownCard
  secrets?: ReadonlyMap<string, string>
  dice?: string
  reporter: Reporter
  /** Lists the files that were written on the medium. */
  onFile?: (path: string) => void
}

export function connect(room: Room): Ports<Quorum> {
  const { reporter, now } = room
  return {
    now,
    elapsed: room.elapsed ?? now,
    newId: randomUUID,
    desk: room.desk ?? automatedDesk(room),
    stir: stirIn,
    selfTest: () => {
      assertSelfTest()
      return `Self-test passed: ${new Set(SELF_TESTS.map((test) => test.algorithm)).size} algorithms.`
    },
    copies: copiesAt(resolve(room.media)),
    media: mediaAt(room.media, reporter, room.onFile ?? (() => {})),
    makeKeys: async (jobs, onProgress): Promise<Map<string, MadeKeys>> => {
      const made = await generateKeys(jobs, { parallel: availableParallelism(), onProgress })
      return new Map([...made].map(([tenant, { keys, generator }]) => [tenant, { ...generator, keys: [...keys] }]))
    },
    createVault: (plan, events, actor, at) => {
      const { folder = '', passphrases = new Map<string, string>() } = room.newVault ?? {}
      const { vault: name, practice, people, threshold } = plan
      const onPerson = (done: number, total: number) => reporter.progress('Enrolling people', done, total)
      return createVault({
        folder,
        name,
        practice,
        people,
        threshold,
        shareFolder: room.shares ?? room.media,
        passphrases,
        at,
        first: () => events,
        actor,
        onPerson,
      })
    },
    writeRecord: async ({ record, plan, headCard, certificates, inventories, log }) => {
      makeFolder(room.records)
      removeUnfinished(room.records)
      const folder = join(room.records, record.record.ceremony)
      const anchor = await openTrustAnchor(record.record.anchor)
      const extra: Files = {}
      for (const file of certificates)
        Object.assign(
          extra,
          certificateFiles(file, await openCertificate(file.certificate, anchor.key, anchor.practice)),
        )
      for (const file of inventories) Object.assign(extra, inventoryFiles(file))
      await writeRecordFolder(folder, {
        record,
        planBytes: utf8(plan),
        ...(headCard !== null && { headCard }),
        log,
        extra,
      })
      return folder
    },
    say: reporter.say,
    progress: reporter.progress,
  }
}

function mediaAt(folder: string, reporter: Reporter, onFile: (path: string) => void): MediaPort {
  const media = resolve(folder)
  const written = (path: string, digest: string): WrittenFile => {
    onFile(path)
    return { name: basename(path), digest }
  }
  return {
    writeAnchor: (jws, at) => {
      makeFolder(media)
      removeUnfinished(media)
      return written(writeTrustAnchor(media, jws, at), '')
    },
    writeSuccession: (succession, at) => {
      makeFolder(media)
      removeUnfinished(media)
      return written(writeSuccession(media, succession, at), '')
    },
    readEnrollment: (name) => readStatement(join(media, name)),
    writeBundle: async (manifest, tenants, root, practice) => {
      makeFolder(media)
      removeUnfinished(media)
      const { path, fileDigest, manifestDigest, merkleRoot } = await writeBundle(media, {
        manifest,
        tenants,
        root,
        practice,
        onProgress: (done) => reporter.progress('Signing tenants', done, tenants.length),
      })
      return { ...written(path, fileDigest), manifestDigest, merkleRoot }
    },
    writeMaterial: async (manifest, { key, keys }, root, practice) => {
      const { path, fileDigest } = await writeMaterial(media, { manifest, transportKey: key, keys, root, practice })
      return written(path, fileDigest)
    },
    writeEnvelope: async (envelope, { key, pkcs8 }, root, practice) => {
      makeFolder(media)
      removeUnfinished(media)
      const { path, digest } = await writeEnvelope(media, { envelope, transportKey: key, pkcs8, root, practice })
      return written(path, digest)
    },
    checkEnvelope: async (name, anchor) => void (await readEnvelope(join(media, name), anchor)),
    writeRevocation: async (revocation, tenants, root, practice) => {
      makeFolder(media)
      removeUnfinished(media)
      const onProgress = (done: number) => reporter.progress('Signing revocations', done, tenants.length)
      const made = await writeRevocation(media, { revocation, tenants, root, practice, onProgress })
      return { ...written(made.path, made.fileDigest), statement: made.manifestDigest }
    },
    checkRevocation: async (name, anchor) => {
      const { revocation, keys } = await readRevocation(join(media, name), anchor)
      return { tenants: revocation.tenants, keys }
    },
    remove: (name) => tryRemove(join(media, name)),
    removeLeftovers: (of) => removeLeftovers(media, of),
    checkExport: async (bundle, material, anchor) => {
      const { manifest } = await readBundle(join(media, bundle), anchor)
      const read = await readMaterial(join(media, material), anchor)
      return { tenants: manifest.tenants, keys: read.manifest.keys }
    },
    readReceipts: (name, expected) => readReceipts(join(media, name), expected),
    readKey: (name, want, password) =>
      readKeyFile(readFileGuarded(join(media, name), KEY_FILE_MAX), { file: name, ...want }, password),
    readRecipient: (name) => readRecipient(join(media, name)),
    writeExport: async (keys, { recipient, name, password, at }) => {
      makeFolder(media)
      removeUnfinished(media)
      const content = await encodeKeys(name.format, keys, password)
      const { path, digest } = await writeExport(media, content, recipient, name, at)
      return written(path, digest)
    },
    removeExport: (of) => removeExport(media, of),
  }
}
