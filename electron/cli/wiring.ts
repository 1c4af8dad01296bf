import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { utf8 } from '../../shared/formats/bytes.ts'
import { openCertificate } from '../../shared/formats/certificate.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import type { MadeKeys, MediaPort, Ports, WrittenFile } from '../ceremony/ports.ts'
import { certificateFiles, type Files, writeRecordFolder } from '../evidence/write-record.ts'
import { makeFolder } from '../files/write.ts'
import { readBundle, writeBundle } from '../handoff/bundle.ts'
import { removeLeftovers } from '../handoff/leftovers.ts'
import { readMaterial, writeMaterial } from '../handoff/material.ts'
import { readReceipts } from '../handoff/receipts.ts'
import { readStatement, writeTrustAnchor } from '../handoff/statements.ts'
import { generateKeys } from '../keys/generator.ts'
import { assertSelfTest, SELF_TESTS } from '../selftest/selftest.ts'
import { createVault } from '../vault/create.ts'
import type { Quorum } from '../vault/quorum.ts'
import type { Reporter } from './output.ts'

/** Connects ceremonies to the real vault, generator, media and clock. */

export type Room = {
  /** The folder that files are carried in, both ways. */
  media: string
  /** Where record folders go. */
  records: string
  /** Where a new vault goes, and everybody's passphrases: only for a genesis. */
  newVault?: { folder: string; passphrases: ReadonlyMap<string, string> }
  now: () => number
  reporter: Reporter
  /** Lists the files that were written on the medium. */
  onFile?: (path: string) => void
}

export function connect(room: Room): Ports<Quorum> {
  const { reporter, now } = room
  return {
    now,
    presence: 'Passphrases are read from files; the software approves and signs for the people they belong to.',
    selfTest: () => {
      assertSelfTest()
      return `Self-test passed: ${new Set(SELF_TESTS.map((test) => test.algorithm)).size} algorithms.`
    },
    media: mediaAt(room.media, room.onFile ?? (() => {})),
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
        passphrases,
        at,
        first: () => events,
        actor,
        onPerson,
      })
    },
    writeRecord: async ({ record, plan, headCard, certificates }) => {
      makeFolder(room.records)
      const folder = join(room.records, record.record.ceremony)
      const anchor = await openTrustAnchor(record.record.anchor)
      const extra: Files = {}
      for (const file of certificates)
        Object.assign(
          extra,
          certificateFiles(file, await openCertificate(file.certificate, anchor.key, anchor.practice)),
        )
      await writeRecordFolder(folder, { record, planBytes: utf8(plan), headCard, extra })
      return folder
    },
    say: reporter.say,
    progress: reporter.progress,
  }
}

function mediaAt(folder: string, onFile: (path: string) => void): MediaPort {
  const media = resolve(folder)
  const written = (path: string, digest: string): WrittenFile => {
    onFile(path)
    return { name: basename(path), digest }
  }
  return {
    writeAnchor: (jws, at) => {
      makeFolder(media)
      return written(writeTrustAnchor(media, jws, at), '')
    },
    readEnrollment: (name) => readStatement(join(media, name)),
    writeBundle: async (manifest, tenants, root, practice) => {
      makeFolder(media)
      const { path, fileDigest, manifestDigest, merkleRoot } = await writeBundle(media, {
        manifest,
        tenants,
        root,
        practice,
      })
      return { ...written(path, fileDigest), manifestDigest, merkleRoot }
    },
    writeMaterial: async (manifest, { key, keys }, root, practice) => {
      const { path, fileDigest } = await writeMaterial(media, { manifest, transportKey: key, keys, root, practice })
      return written(path, fileDigest)
    },
    remove: (name) => rmSync(join(media, name), { force: true }),
    removeLeftovers: (of) => removeLeftovers(media, of),
    checkExport: async (bundle, material, anchor) => {
      const { manifest } = await readBundle(join(media, bundle), anchor)
      const read = await readMaterial(join(media, material), anchor)
      return { tenants: manifest.tenants, keys: read.manifest.keys }
    },
    readReceipts: (name, expected) => readReceipts(join(media, name), expected),
  }
}
