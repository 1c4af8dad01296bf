import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Findings } from '../../electron/evidence/findings.ts'
import { printable } from '../../electron/evidence/pdf.ts'
import { recordPdf } from '../../electron/evidence/record-pdf.ts'
import { checkSums } from '../../electron/evidence/sums.ts'
import { type FileReport, type Report, verifyFiles } from '../../electron/evidence/verify.ts'
import { writeCertificate, writeEvidence, writeRecordFolder } from '../../electron/evidence/write-record.ts'
import { writeBundle } from '../../electron/handoff/bundle.ts'
import { writeMaterial } from '../../electron/handoff/material.ts'
import { DAY, DEFAULT_POLICY } from '../../shared/domain/policy.ts'
import { firstKey } from '../../shared/domain/schedule.ts'
import { SCRIPTS } from '../../shared/domain/script.ts'
import { digest, utf8 } from '../../shared/formats/bytes.ts'
import { openCertificate } from '../../shared/formats/certificate.ts'
import { evidenceDigest } from '../../shared/formats/evidence.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import { signStatement, statementTyp } from '../../shared/formats/jws.ts'
import { type CeremonyRecord, type RecordBody, recordDigest, scriptOf } from '../../shared/formats/record.ts'
import { signRoster } from '../../shared/formats/roster.ts'
import { statementFile } from '../../shared/formats/statement-file.ts'
import { PAGE_VERSION, pageVersion } from '../../shared/pages/page.ts'
import {
  AT,
  approve,
  closeRecord,
  newP256,
  newSampleVault,
  type SampleVault,
  SIGNS,
  sampleCertificate,
  sampleCertificateFile,
  sampleEvidence,
  sampleRecord,
  sampleRuntime,
  signAll,
  VAULT_ID,
} from './sample.ts'

const root = mkdtempSync(join(tmpdir(), 'keyrite-verify-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let count = 0
const newFolder = (): string => {
  count += 1
  const folder = join(root, `f${count}`)
  mkdirSync(folder)
  return folder
}
const put = (folder: string, name: string, content: string): string => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

let vault: SampleVault
let record: CeremonyRecord
let runtime: Awaited<ReturnType<typeof sampleRuntime>>
let anchorPath: string
beforeAll(async () => {
  vault = await newSampleVault()
  record = await sampleRecord(vault)
  runtime = await sampleRuntime(vault)
  anchorPath = put(newFolder(), 'anchor.keyrite', statementFile(vault.anchor))
})

const verify = (path: string, anchor: string | null = anchorPath): Promise<Report> =>
  verifyFiles([path], anchor, AT + DAY)
const fileOf = (report: Report, name: string): FileReport => {
  const found = report.files.find((file) => file.file.endsWith(`/${name}`))
  if (!found) throw new Error(`${name} is not in the report.`)
  return found
}
const failed = (report: Report): string[] =>
  report.files.filter((file) => !file.ok).map((file) => file.file.split('/').at(-1) ?? '')
const problems = (report: Report): string => report.files.flatMap((file) => file.problems).join('\n')

async function recordFolder(written: CeremonyRecord = record): Promise<string> {
  const folder = newFolder()
  await writeRecordFolder(folder, { record: written, planBytes: utf8(written.record.plan), headCard: vault.checkpoint })
  return folder
}

/** A record folder in which `change` altered the signed JSON after everybody had signed. */
async function tampered(change: (file: CeremonyRecord) => void): Promise<Report> {
  const folder = await recordFolder()
  const file = structuredClone(record)
  change(file)
  writeFileSync(join(folder, 'record.json'), canonicalText(file))
  return verify(folder)
}

const resigned = async (change: (body: RecordBody) => void | Promise<void>): Promise<Report> => {
  const body = structuredClone(record.record)
  await change(body)
  return verify(await recordFolder(await closeRecord(vault, body)))
}

describe('a complete record', () => {
  test('is verified with everything beside it', async () => {
    const report = await verify(await recordFolder())
    expect(problems(report)).toBe('')
    expect(report.anchored).toBe(true)
    expect(report.files.map((file) => [file.file.split('/').at(-1), file.standing])).toEqual([
      ['SHA256SUMS', 'consistent'],
      ['head-card.html', 'verified'],
      ['head-card.keyrite', 'verified'],
      ['plan.json', 'verified'],
      ['record.html', 'verified'],
      ['record.json', 'verified'],
      ['record.pdf', 'verified'],
      ['script.txt', 'verified'],
    ])
    const { facts } = fileOf(report, 'record.json')
    expect(facts).toContainEqual(expect.stringMatching(/^Signed by 5 of 5 people/))
    expect(facts).toContain("“Erase the vault's copy” approved by three custodians.")
  })

  test('given alone brings its page and plan into the report', async () => {
    const report = await verify(join(await recordFolder(), 'record.json'))
    expect(report.files).toHaveLength(5)
    expect(failed(report)).toEqual([])
  })

  test('is never called verified without an anchor', async () => {
    const report = await verify(await recordFolder(), null)
    expect(report.anchored).toBe(false)
    expect(report.files.filter((file) => file.standing === 'verified')).toEqual([])
    expect(fileOf(report, 'record.json').problems).toEqual([
      'No trust anchor is given, so nothing in this file is verified.',
    ])
  })

  test('fails against the anchor of another vault, and of the same name', async () => {
    const other = await newSampleVault()
    const report = await verify(await recordFolder(), put(newFolder(), 'a.keyrite', statementFile(other.anchor)))
    expect(problems(report)).toContain('signed by another key')
    expect(fileOf(report, 'record.json').standing).toBe('failed')
  })

  test('of a practice vault fails against a production anchor', async () => {
    const practice = await newSampleVault({ practice: true })
    const folder = newFolder()
    const file = await sampleRecord(practice)
    await writeRecordFolder(folder, { record: file, planBytes: utf8(file.record.plan), headCard: practice.checkpoint })
    const report = await verify(folder)
    expect(fileOf(report, 'record.json').problems.join()).toContain('differ in mode')
    expect(fileOf(report, 'head-card.keyrite').problems.join()).toContain('practice vault')
  })
})

describe('a record changed after it was signed', () => {
  const changes: [string, (file: CeremonyRecord) => void][] = [
    [
      'the time of a step',
      ({ record: { steps } }) => {
        if (steps[1]) steps[1].at += 1
      },
    ],
    ['a participant', ({ record: { participants } }) => void participants.pop()],
    [
      'a name',
      ({ record: { participants } }) => {
        if (participants[0]) participants[0].name = 'Somebody else'
      },
    ],
    [
      'an observation',
      ({ record: { steps } }) => {
        if (steps[0]) steps[0].observed = 'All fine.'
      },
    ],
    ['an approval', ({ record: { approvals } }) => void approvals[0]?.approvals.pop()],
    [
      'a deviation',
      ({ record: body }) => {
        body.deviations = []
      },
    ],
    [
      'the plan',
      ({ record: body }) => {
        body.plan = body.plan.replace('End of', 'Begin of')
      },
    ],
    [
      'a signature of another person',
      ({ signatures }) => {
        signatures['custodian-1'] = signatures['custodian-3'] ?? ''
      },
    ],
  ]
  test.each(changes)('%s: everything that hangs on it fails', async (_, change) => {
    const report = await tampered(change)
    expect(fileOf(report, 'record.json').standing).toBe('failed')
    expect(fileOf(report, 'record.html').standing).toBe('failed')
    expect(fileOf(report, 'plan.json').standing).toBe('failed')
    expect(problems(report)).toMatch(/signed something else|signed by another key|sign.*but does not stand/)
  })

  test('a signature stripped is named', async () => {
    const report = await tampered(({ signatures }) => void delete signatures['custodian-3'])
    expect(fileOf(report, 'record.json').problems).toEqual(['Custodian 3 (custodian-3) has not signed.'])
  })
})

describe('a record that was signed but cannot be true', () => {
  test('fewer than M custodians approved', async () => {
    const report = await resigned((body) => void body.approvals[0]?.approvals.pop())
    expect(fileOf(report, 'record.json').problems).toEqual([
      "“Erase the vault's copy”: One more custodian needs to approve.",
    ])
  })

  test('an approval of another plan, by a stranger, or twice by one custodian', async () => {
    const other = await resigned((body) => {
      body.planDigest = digest('another plan')
    })
    expect(problems(other)).toContain('The plan is not the one whose digest was approved.')
    expect(problems(other)).toContain('approved another act')
    const twice = await resigned(
      ({ approvals: [first] }) => void first?.approvals.splice(1, 2, first.approvals[0] ?? ''),
    )
    expect(problems(twice)).toContain('2 more custodians need to approve.')
    const absent = await resigned(async (body) => {
      const [first] = body.approvals
      if (!first) return
      const { ceremony, planDigest } = body
      const act = { vaultId: VAULT_ID, epoch: 1, ceremony, planDigest, step: first.step, objects: first.objects }
      first.approvals = await approve(vault, act, ['custodian-1', 'custodian-2', 'custodian-3'])
    })
    expect(problems(absent)).toContain('custodian-2 approved but was not present.')
  })

  test('steps out of order, left out, or earlier than the one before', async () => {
    const swapped = await resigned(({ steps }) => void steps.reverse())
    expect(problems(swapped)).toContain('Step 1 is issue-certificate, but the script has check-machine.')
    const short = await resigned(({ steps }) => void steps.splice(3))
    expect(problems(short)).toContain('The record ends before the script does.')
    const last = await resigned(({ steps }) => void steps.pop())
    expect(fileOf(last, 'record.json').problems).toEqual(['The record ends before the script does.'])
    const more = await resigned(
      ({ steps }) => void steps.push({ step: 'sign-off', at: AT + 9000, by: 'administrator', observed: 'x' }),
    )
    expect(problems(more)).toContain(
      `Step ${SCRIPTS.destroy.length + 1} is sign-off, but the script has no further step.`,
    )
    const early = await resigned(({ steps }) => {
      if (steps[2]) steps[2].at = AT
    })
    expect(problems(early)).toContain('Step 3 stands earlier than the one before it.')
  })

  test('a participant whom the roster does not know, or a roster that the root did not sign', async () => {
    const stranger = await resigned(({ participants: [first] }) => {
      if (first) first.role = 'compliance'
    })
    expect(problems(stranger)).toContain('Custodian 1 (custodian-1) does not stand in the roster')
    const { signer } = await newP256()
    const forged = await signRoster(vault.roster, { ...signer, kid: vault.root.signer.kid })
    const report = await resigned((body) => {
      body.rosters = [forged]
    })
    expect(fileOf(report, 'record.json').problems).toEqual(['The signature of this roster does not verify.'])
  })
})

describe('a record that M custodians did not close', () => {
  test('one insider alone writes a ceremony: nothing in it is verified', async () => {
    const body = structuredClone(record.record)
    body.participants = body.participants.filter((person) => person.id === 'administrator')
    body.attendance = [{ at: AT, present: ['administrator'] }]
    body.approvals = []
    body.deviations = []
    for (const step of body.steps) Object.assign(step, { by: 'administrator', observed: 'Everything was fine.' })
    const alone = await closeRecord(vault, body, { signers: ['administrator'], custodians: ['administrator'] })
    const report = await verify(await recordFolder(alone))
    expect(fileOf(report, 'record.json').problems).toEqual([
      "“Erase the vault's copy” was not approved by a quorum.",
      '“Draw a new quorum secret” was not approved by a quorum.',
      '“Issue the certificate” was not approved by a quorum.',
      '“Sign the record”: administrator is not a custodian of this roster.',
    ])
    for (const name of ['record.json', 'record.html', 'plan.json', 'script.txt'])
      expect(fileOf(report, name).standing).toBe('failed')
    const none = await verify(await recordFolder({ ...alone, closing: { ...alone.closing, approvals: [] } }))
    expect(problems(none)).toContain('“Sign the record”: 3 more custodians need to approve.')
  })

  test('a kind of ceremony without another quorum act hangs on its closing alone', async () => {
    const body: RecordBody = {
      ...structuredClone(record.record),
      kind: 'genesis',
      rosters: [vault.earlierJws],
      approvals: [],
      script: scriptOf('genesis'),
      steps: SCRIPTS.genesis.map(({ id }) => ({ step: id, at: AT, by: 'administrator', observed: 'Done.' })),
      deviations: [],
    }
    expect(problems(await verify(await recordFolder(await closeRecord(vault, body, { epoch: 1 }))))).toBe('')
    body.participants = body.participants.filter((person) => person.id === 'administrator')
    body.attendance = [{ at: AT, present: ['administrator'] }]
    const alone = await closeRecord(vault, body, { signers: ['administrator'], custodians: [], epoch: 1 })
    expect(fileOf(await verify(await recordFolder(alone)), 'record.json').problems).toEqual([
      '“Sign the record”: 3 more custodians need to approve.',
    ])
  })

  const closings: [string, (file: CeremonyRecord) => void | Promise<void>, string][] = [
    ['fewer than M', ({ closing }) => void closing.approvals.pop(), 'One more custodian needs to approve.'],
    [
      'one of them twice',
      ({ closing }) => void closing.approvals.splice(2, 1, closing.approvals[0] ?? ''),
      'One more custodian needs to approve.',
    ],
    [
      'the approvals of another act',
      ({ closing, record: { approvals } }) => {
        closing.approvals = approvals.at(-1)?.approvals ?? []
      },
      'custodian-1 approved another act.',
    ],
    [
      'the approvals of another record',
      async (file) => {
        const other = await sampleRecord(vault, ({ steps: [first] }) => {
          if (first) first.observed = 'Nothing was tested.'
        })
        file.closing = other.closing
      },
      'The custodians closed the ceremony with another record.',
    ],
    [
      'the objects of this record over approvals of another one',
      async (file) => {
        const other = await sampleRecord(vault, (body) => {
          body.deviations = []
        })
        file.closing.approvals = other.closing.approvals
      },
      'custodian-1 approved another act.',
    ],
    [
      'the roster before the one in force',
      async (file) => {
        file.closing = (await closeRecord(vault, file.record, { epoch: 1 })).closing
      },
      'custodian-1 approved another act.',
    ],
    [
      'a custodian who was not there',
      async (file) => {
        const custodians = ['custodian-1', 'custodian-2', 'custodian-3']
        file.closing = (await closeRecord(vault, file.record, { custodians })).closing
      },
      'custodian-2 approved but was not present.',
    ],
    [
      'no closing at all',
      (file) => void Reflect.deleteProperty(file, 'closing'),
      'This is not a valid record of a ceremony at closing',
    ],
  ]
  test.each(closings)('%s', async (_, change, problem) => {
    const file = structuredClone(record)
    const folder = await recordFolder()
    await change(file)
    put(folder, 'record.json', canonicalText(file))
    const report = fileOf(await verify(folder), 'record.json')
    expect(report.standing).toBe('failed')
    expect(report.problems.join()).toContain(problem)
  })

  test('a quorum step without approvals, or approvals of a step that needs none', async () => {
    const missing = await resigned(({ approvals }) => void approvals.shift())
    expect(fileOf(missing, 'record.json').problems).toEqual(["“Erase the vault's copy” was not approved by a quorum."])
    const empty = await resigned(({ approvals: [first] }) => void first?.approvals.splice(0))
    expect(problems(empty)).toContain("“Erase the vault's copy”: 3 more custodians need to approve.")
    for (const step of ['check-machine', 'sign-off', 'invented']) {
      const other = await resigned(({ approvals: [first] }) => {
        if (first) first.step = step
      })
      expect(problems(other)).toContain(`An approval names the step ${step}, which needs none in this script.`)
    }
  })

  test('another script than the one of its kind', async () => {
    const changes: ((body: RecordBody) => void)[] = [
      ({ script: [first] }) => void Object.assign(first ?? {}, { observe: 'Nothing.' }),
      ({ script }) => void script.reverse(),
      ({ script }) => void script.pop(),
      (body) => {
        body.script = scriptOf('onboard')
      },
    ]
    for (const change of changes)
      expect(problems(await resigned(change))).toContain('is not the one of this kind of ceremony (destroy).')
    const short = await resigned((body) => {
      body.script = body.script.slice(0, 1)
      body.steps = body.steps.slice(0, 1)
      body.approvals = []
    })
    expect(problems(short)).toContain('is not the one of this kind of ceremony (destroy).')
    expect(problems(short)).toContain('The record ends before the script does.')
  })

  test('rosters that were not in force one after the other', async () => {
    for (const rosters of [[vault.earlierJws], [vault.rosterJws], [vault.rosterJws, vault.rosterJws]])
      expect(
        problems(
          await resigned((body) => {
            body.rosters = rosters
          }),
        ),
      ).toContain('This ceremony has two rosters in force, one epoch after the other.')
    const late = await resigned(async (body) => {
      const last = body.approvals.at(-1)
      const { ceremony, planDigest } = body
      if (!last) return
      const act = { vaultId: VAULT_ID, epoch: 1, ceremony, planDigest, step: last.step, objects: last.objects }
      last.approvals = await approve(vault, act)
    })
    expect(problems(late)).toContain('“Issue the certificate”: custodian-1 approved another act.')
  })
})

describe('files beside a record', () => {
  test.each([
    ['plan.json', 'It is not what the record beside it says.'],
    ['script.txt', 'It is not what the record beside it says.'],
    ['record.html', 'It is not what the record beside it says.'],
    ['record.pdf', 'It is not what the record beside it says.'],
    ['head-card.html', 'It is not what the head card beside it says.'],
  ])('an edited %s is named, by itself and by the list', async (name, problem) => {
    const folder = await recordFolder()
    writeFileSync(join(folder, name), `${readFileSync(join(folder, name), 'utf8')} `)
    const report = await verify(folder)
    expect(failed(report)).toEqual(['SHA256SUMS', name])
    expect(fileOf(report, name).problems).toEqual([problem])
  })

  test.each([
    [PAGE_VERSION - 1, 'an older'],
    [PAGE_VERSION + 1, 'a newer'],
    [999_999, 'a newer'],
  ])('a page that claims version %i may say nothing on its own', async (version, which) => {
    const folder = await recordFolder()
    const drawn = readFileSync(join(folder, 'record.html'), 'utf8')
    const claimed = drawn.replace(`Keyrite pages ${PAGE_VERSION}"`, `Keyrite pages ${version}"`)
    expect(claimed).not.toBe(drawn)
    put(folder, 'record.html', claimed)
    const report = fileOf(await verify(folder), 'record.html')
    expect([report.ok, report.standing]).toEqual([false, 'failed'])
    expect(report.problems).toEqual([
      `It says that ${which} version of Keyrite drew it (pages ${version}, here ${PAGE_VERSION}), so it cannot be compared; draw it again with "keyrite ceremony show ID --records DIR". What counts is the record beside it.`,
    ])
  })

  test('an edited, incomplete or hostile list of digests is named', async () => {
    const folder = await recordFolder()
    const path = join(folder, 'SHA256SUMS')
    const sums = readFileSync(path, 'utf8')
    writeFileSync(path, `${sums.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))}${'0'.repeat(64)}  gone.txt\n`)
    expect(fileOf(await verify(folder), 'SHA256SUMS').problems).toEqual([
      'head-card.html has another digest than the one that stands here.',
      'gone.txt is on the list but not in the folder.',
    ])
    writeFileSync(path, `${'0'.repeat(64)}  ../../etc/passwd\n`)
    const findings = new Findings()
    checkSums(path, findings)
    expect(findings.problems).toHaveLength(1)
  })

  test('sha256sum agrees with the list, and an unlisted file is named', async () => {
    const folder = await recordFolder()
    execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: folder })
    put(folder, 'notes.txt', 'hello\n')
    const report = await verify(folder)
    expect(fileOf(report, 'SHA256SUMS').facts).toContain('Not on the list: notes.txt.')
    expect(fileOf(report, 'notes.txt').problems).toEqual(['Nothing signed in this call vouches for this file.'])
  })

  test('links are refused and never followed', async () => {
    const folder = newFolder()
    symlinkSync(anchorPath, join(folder, 'link.keyrite'))
    const report = await verify(folder)
    expect(problems(report)).toContain('not a regular file')
  })
})

describe('record.pdf', () => {
  test('is the same bytes again, in every time zone', async () => {
    const first = await recordPdf(record)
    const zone = process.env['TZ']
    try {
      for (const other of ['Pacific/Kiritimati', 'America/St_Johns']) {
        process.env['TZ'] = other
        expect(Buffer.compare(await recordPdf(structuredClone(record)), first)).toBe(0)
      }
    } finally {
      if (zone === undefined) delete process.env['TZ']
      else process.env['TZ'] = zone
    }
  })

  test('says which version drew it, and its pages print on A4 and Letter at their own size', async () => {
    const text = Buffer.from(await recordPdf(record)).toString('latin1')
    expect(pageVersion(text)).toBe(PAGE_VERSION)
    for (const [, width, height] of text.matchAll(/\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/g)) {
      expect(Number(width)).toBeLessThanOrEqual(595.28)
      expect(Number(height)).toBeLessThanOrEqual(792)
    }
    expect(text.match(/\/MediaBox/g)?.length).toBeGreaterThan(1)
  })

  test('shows letters that its fonts do not have by their numbers, and drops none', () => {
    expect(printable('Łódź & Söhne “x” 日本\u202e\u{1F511}')).toBe(
      '[U+0141]ód[U+017A] & Söhne “x” [U+65E5][U+672C][U+202E][U+1F511]',
    )
  })

  test('a plan of a whole fleet does not fill it', async () => {
    const body = structuredClone(record.record)
    body.plan = JSON.stringify({ kind: 'destroy', keys: Array(2000).fill('x'.repeat(43)) })
    const bytes = await recordPdf(await closeRecord(vault, body))
    expect(bytes.length).toBeLessThan(200_000)
  })
})

describe('certificates', () => {
  async function certificateFolder(
    change: (value: ReturnType<typeof sampleCertificate>) => void = () => {},
  ): Promise<string> {
    const certificate = sampleCertificate(vault)
    change(certificate)
    const file = await sampleCertificateFile(vault, certificate)
    const folder = newFolder()
    await writeCertificate(
      folder,
      file,
      await openCertificate(file.certificate, { kid: vault.root.signer.kid, jwk: vault.root.jwk }, false),
    )
    return folder
  }

  test('are verified with their page', async () => {
    const report = await verify(await certificateFolder())
    expect(problems(report)).toBe('')
    expect(report.files.map((file) => file.standing)).toEqual(['verified', 'verified'])
  })

  test('that claim more than their copies allow are named', async () => {
    const report = await verify(
      await certificateFolder((value) => {
        value.grade = 'destruction'
      }),
    )
    expect(problems(report)).toContain('calls itself a certificate of destruction, but two known copies are open')
  })

  test('with a signature stripped, another roster or another root are named', async () => {
    const folder = newFolder()
    const file = await sampleCertificateFile(vault, sampleCertificate(vault))
    delete file.signatures['compliance-1']
    put(folder, 'a.json', canonicalText(file))
    expect(problems(await verify(folder))).toContain('Compliance officer 1 (compliance-1) has not signed.')
    const other = await newSampleVault()
    put(folder, 'a.json', canonicalText(await sampleCertificateFile(other, sampleCertificate(other))))
    expect(problems(await verify(folder))).toContain('This certificate was signed by another key.')
  })
})

describe('a participant who does not agree', () => {
  const REASON = 'The key id on the screen was not the one on paper.'
  const objecting =
    (...who: string[]) =>
    async (person: string) =>
      who.includes(person) ? { agrees: false as const, reason: REASON } : { agrees: true as const }

  test('with a record: it is verified, and the reason is always told', async () => {
    const file = await closeRecord(vault, record.record, { ask: objecting('compliance-1') })
    const report = await verify(await recordFolder(file))
    expect(failed(report)).toEqual([])
    expect(fileOf(report, 'record.json').remarks).toContain(`Compliance officer 1 does not agree: ${REASON}`)
  })

  test('closing still needs M custodians, who may say so and not agree', async () => {
    const file = await closeRecord(vault, record.record, { ask: objecting('custodian-1') })
    expect(failed(await verify(await recordFolder(file)))).toEqual([])
    file.closing.approvals = file.closing.approvals.slice(1)
    expect(problems(await verify(await recordFolder(file)))).toContain('One more custodian needs to approve.')
  })

  test('with a certificate', async () => {
    const file = await sampleCertificateFile(vault, sampleCertificate(vault))
    file.signatures = await signAll(vault, digest(file.certificate), undefined, objecting('custodian-3'))
    const report = await verify(put(newFolder(), 'c.json', canonicalText(file)))
    expect(report.files.map((one) => [one.standing, one.remarks])).toEqual([
      ['verified', [`Custodian 3 does not agree: ${REASON}`]],
    ])
  })

  test('does not count towards the quorum that vouches for an evidence pack', async () => {
    const certificate = await sampleCertificateFile(vault, sampleCertificate(vault))
    const pack = await sampleEvidence(vault, { record, certificate, acceptance: runtime.acceptance }, (body) => {
      body.ceremonies = []
    })
    pack.signatures = await signAll(vault, evidenceDigest(pack.evidence), SIGNS, objecting('custodian-5'))
    const found = fileOf(await verify(put(newFolder(), 'evidence.json', canonicalText(pack))), 'evidence.json')
    expect(found.standing).toBe('consistent')
    expect(found.remarks).toEqual([`Custodian 5 does not agree: ${REASON}`])
  })

  test('without a reason is no sign-off', async () => {
    const file = structuredClone(record)
    const said = { of: recordDigest(file.record), agrees: false, at: AT }
    const signer = vault.people.find(({ id }) => id === 'custodian-1')?.signer
    if (!signer) throw new Error('custodian-1 is unknown.')
    file.signatures['custodian-1'] = await signStatement(statementTyp('sign-off', false), said, signer)
    const folder = newFolder()
    put(folder, 'record.json', canonicalText(file))
    expect(problems(await verify(folder))).toContain('This is not a valid sign-off of custodian-1')
  })
})

describe('who was there', () => {
  test('is exactly the participants, from the start on, in order; whoever is there at the end signs', async () => {
    const everyone = record.record.attendance[0]?.present ?? []
    const cases: [(body: RecordBody) => void, string][] = [
      [(body) => void body.attendance[0]?.present.pop(), 'took part but was never there.'],
      [
        (body) => void body.attendance[0]?.present.push('custodian-2'),
        'custodian-2 was there but does not stand among',
      ],
      [(body) => void Object.assign(body.attendance[0] ?? {}, { at: AT + 1 }), 'Who was there at the beginning is not'],
      [
        (body) => void body.attendance.push({ at: AT + 50, present: everyone }, { at: AT + 40, present: everyone }),
        'The changes of who was there are not in order.',
      ],
    ]
    for (const [change, problem] of cases) expect(problems(await resigned(change))).toContain(problem)
    const left = structuredClone(record.record)
    left.attendance.push({ at: AT + 100, present: everyone.filter((id) => id !== 'compliance-1') })
    const signers = everyone.filter((id) => id !== 'compliance-1')
    const report = await verify(await recordFolder(await closeRecord(vault, left, { signers })))
    expect(failed(report)).toEqual([])
    expect(fileOf(report, 'record.json').remarks).toContain(
      'Compliance officer 1 took part, was not there at the end and has not signed.',
    )
    const all = await verify(await recordFolder(await closeRecord(vault, left)))
    expect(problems(all)).toContain('compliance-1 signed but does not stand among those who were there.')
  })
})

test('a certificate that the record of its ceremony does not name is refused beside it', async () => {
  const file = await sampleCertificateFile(vault, sampleCertificate(vault))
  const body = structuredClone(record.record)
  body.certificates = [{ certificate: 'D-2026-009-C1', statement: digest(file.certificate) }]
  const folder = await recordFolder(await closeRecord(vault, body))
  const beside = put(folder, 'certificate.json', canonicalText(file))
  expect(fileOf(await verify(folder), 'certificate.json').standing).toBe('verified')
  writeFileSync(beside, canonicalText(await sampleCertificateFile(vault, sampleCertificate(vault))))
  expect(problems(await verify(folder))).toContain(
    'The record of D-2026-009 in this call does not name this certificate.',
  )
})

describe('evidence', () => {
  async function evidenceFolder(change: Parameters<typeof sampleEvidence>[2] = () => {}): Promise<string> {
    const certificate = await sampleCertificateFile(vault, sampleCertificate(vault))
    const { acceptance } = runtime
    const folder = join(newFolder(), 'evidence')
    await writeEvidence(folder, await sampleEvidence(vault, { record, certificate, acceptance }, change))
    return folder
  }

  test('is verified, with the record of the same call', async () => {
    const report = await verifyFiles([await evidenceFolder(), await recordFolder()], anchorPath, AT)
    expect(problems(report)).toBe('')
    expect(fileOf(report, 'evidence.json').facts).toContain('One record of this call is exactly as the pack names it.')
  })

  test('with an edited page or an edited number is named', async () => {
    const folder = await evidenceFolder()
    const json = join(folder, 'evidence.json')
    writeFileSync(json, readFileSync(json, 'utf8').replace('"accepted":0', '"accepted":1'))
    const report = await verify(folder)
    expect(failed(report)).toEqual(['SHA256SUMS', 'evidence.html', 'evidence.json'])
    expect(problems(report)).toContain('signed something else')
  })

  test('that contradicts what it holds is named', async () => {
    const folder = await evidenceFolder((body) => {
      const key = body.tenants[0]?.keys[0]
      if (key) key.state = 'destroyed'
      body.certificates = []
      const last = body.ceremonies.at(-1)
      if (last) last.record = digest('another record')
      for (const one of body.runtimes) one.runtimeId = 'eu-2'
    })
    const said = problems(await verifyFiles([folder, await recordFolder()], anchorPath, AT))
    expect(said).toContain('is called destroyed, but its times and facts say otherwise.')
    expect(said).toContain('names the certificate D-2026-009-C1, which is not in this pack')
    expect(said).toContain('The record of D-2026-009 in this call is not the one that the pack names.')
    expect(said).toContain('The acceptance of eu-2 is of another runtime.')
  })

  /** The pack with the signatures of these people alone. */
  async function signedBy(...ids: string[]): Promise<Report> {
    const folder = await evidenceFolder((body) => {
      body.ceremonies = []
    })
    const { evidence } = JSON.parse(readFileSync(join(folder, 'evidence.json'), 'utf8'))
    const file = { evidence, signatures: await signAll(vault, evidenceDigest(evidence), ids) }
    rmSync(folder, { recursive: true })
    await writeEvidence(folder, file)
    return verify(folder)
  }
  const standings = (report: Report) => ['evidence.json', 'evidence.html'].map((name) => fileOf(report, name).standing)

  test.each([
    ['one person', 'no custodians', ['administrator']],
    ['four people', 'two custodians', ['custodian-1', 'custodian-3', 'compliance-1', 'administrator']],
  ])('that %s signed, %s among them, is their word and not verified', async (people, custodians, ids) => {
    const report = await signedBy(...ids)
    expect(problems(report)).toBe('')
    expect(standings(report)).toEqual(['consistent', 'consistent'])
    expect(fileOf(report, 'evidence.json').facts).toContain(
      `It is the word of ${people}, ${custodians} among them. A pack is verified when at least three custodians of its roster signed it.`,
    )
  })

  test('that M custodians signed is verified, with or without anybody else', async () => {
    const report = await signedBy(...SIGNS)
    expect(problems(report)).toBe('')
    expect(standings(report)).toEqual(['verified', 'verified'])
    expect(fileOf(report, 'evidence.json').facts).toContain('Signed by three custodians, a quorum of the roster.')
  })

  test('with an older page is named', async () => {
    const folder = await evidenceFolder()
    const page = join(folder, 'evidence.html')
    writeFileSync(page, readFileSync(page, 'utf8').replace(`Keyrite pages ${PAGE_VERSION}`, 'Keyrite pages 0'))
    expect(fileOf(await verify(folder), 'evidence.html').problems).toEqual([
      `It says that an older version of Keyrite drew it (pages 0, here ${PAGE_VERSION}), so it cannot be compared. What counts is the evidence beside it.`,
    ])
  })

  test('that nobody signed is nobody’s word', async () => {
    const folder = await evidenceFolder()
    const file = JSON.parse(readFileSync(join(folder, 'evidence.json'), 'utf8'))
    put(folder, 'evidence.json', canonicalText({ ...file, signatures: {} }))
    expect(problems(await verify(folder))).toContain('Nobody has signed this pack.')
  })
})

describe('files that cross the air gap', () => {
  async function receiptsText(length = 3): Promise<string[]> {
    const lines: string[] = []
    for (let seq = 1; seq <= length; seq++) {
      const last = lines.at(-1)
      const prev = last === undefined ? null : digest(last)
      const stated = { type: 'transport-key-offered', key: runtime.transport.jwk }
      const receipt = { runtimeId: 'eu-1', seq, prev, at: AT + seq, stated }
      lines.push(await signStatement(statementTyp('receipt', false), receipt, runtime.receipts.signer))
    }
    return lines
  }
  const lined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

  test('an enrollment is consistent until the root’s acceptance is there', async () => {
    const folder = newFolder()
    put(folder, 'e.keyrite', statementFile(runtime.enrollment))
    put(folder, 'r.keyrite', lined(await receiptsText()))
    const alone = await verify(folder)
    expect(alone.files.map((file) => file.standing)).toEqual(['consistent', 'consistent'])
    expect(fileOf(alone, 'r.keyrite').facts.join()).toContain('Consistent with the enrollment beside them')
    put(folder, 'a.keyrite', statementFile(runtime.acceptance))
    const together = await verify(folder)
    expect(together.files.map((file) => file.standing)).toEqual(['verified', 'verified', 'verified'])
  })

  test('receipts without their key, with a hole, or with a changed line are named', async () => {
    const folder = newFolder()
    const lines = await receiptsText()
    put(folder, 'r.keyrite', lined(lines))
    expect(problems(await verify(folder))).toContain('The receipt key of eu-1 is not known here.')
    put(folder, 'a.keyrite', statementFile(runtime.acceptance))
    put(folder, 'r.keyrite', lined([lines[0] ?? '', lines[2] ?? '']))
    expect(problems(await verify(folder))).toContain('Receipts 2 to 2 are missing.')
    put(
      folder,
      'r.keyrite',
      lined([lines[0] ?? '', (await receiptsText(2))[1]?.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')) ?? '']),
    )
    expect(failed(await verify(folder))).toEqual(['r.keyrite'])
  })

  async function handoff(): Promise<{ folder: string; bundle: string; material: string }> {
    const folder = newFolder()
    const { jwk, signer } = await newP256()
    const policy = { ...DEFAULT_POLICY, signingAlgorithms: ['ES256' as const] }
    const key = { kid: signer.kid, spec: 'ES256' as const, label: 'acme-es256-2026-06', jwk, ...firstKey(policy, AT) }
    const common = {
      vaultId: VAULT_ID,
      runtimeId: 'eu-1',
      environment: 'production',
      number: 1,
      iat: AT,
      exp: AT + 3600,
    }
    const entry = {
      tenant: 'acme',
      issuer: 'https://id.acme.example',
      name: 'Acme',
      policy,
      relyingParties: [],
      keys: [key],
      compromised: [],
      tombstones: [],
    }
    const signing = { root: vault.root.signer, practice: false }
    const bundle = await writeBundle(folder, {
      manifest: { ...common, previous: null, checkpoint: vault.checkpoint, receiptsSeen: 0 },
      tenants: [entry],
      ...signing,
    })
    const keys = [{ tenant: 'acme', kid: signer.kid, pkcs8: utf8('not a real key') }]
    const material = await writeMaterial(folder, {
      manifest: { ...common, bundle: bundle.manifestDigest },
      transportKey: runtime.transport.jwk,
      keys,
      ...signing,
    })
    return { folder, bundle: bundle.path, material: material.path }
  }

  test('an expired bundle and its material are verified and called expired', async () => {
    const { folder } = await handoff()
    const report = await verify(folder)
    expect(problems(report)).toBe('')
    expect(report.files.map((file) => file.standing)).toEqual(['verified', 'verified'])
    for (const { facts } of report.files) expect(facts.join()).toContain('It expired on 9 June 2026, 15:00:00 UTC')
    expect(report.files.find((file) => file.kind === 'key material')?.facts).toContain('It belongs to bundle 1.')
  })

  test('a changed line of a bundle or of key material is named', async () => {
    const { folder, bundle, material } = await handoff()
    const text = readFileSync(bundle, 'utf8')
    writeFileSync(bundle, text.replace('"name":"Acme"', '"name":"Acne"'))
    const sealed = readFileSync(material, 'utf8').split('\n')
    writeFileSync(material, lined([sealed[0] ?? '']))
    const report = await verify(folder)
    expect(report.files.every((file) => !file.ok)).toBe(true)
    expect(problems(report)).toContain('fewer lines than its manifest says')
    expect(problems(report)).toContain('not the ones its manifest was signed for')
  })

  test('a trust anchor that does not sign itself is an error; another one beside the files is named', async () => {
    const other = await newSampleVault()
    const broken = put(
      newFolder(),
      'a.keyrite',
      statementFile(vault.anchor.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))),
    )
    await expect(verify(anchorPath, broken)).rejects.toMatchObject({ exit: 3 })
    const path = put(newFolder(), 'other.keyrite', statementFile(other.anchor))
    expect(problems(await verify(path))).toContain('names another root key than the one given')
    expect((await verify(anchorPath)).files[0]?.facts).toContain('It is the trust anchor given.')
  })
})

test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
  'a planted statement of the type keyrite-%s fails alone and hides nothing',
  async (name) => {
    const folder = await recordFolder()
    for (const prefix of ['', 'keyrite-', 'keyrite-practice-'])
      put(folder, `${prefix}x.keyrite`, statementFile(await signStatement(`${prefix}${name}`, {}, vault.root.signer)))
    const report = await verify(folder)
    const planted = report.files.filter((file) => file.file.endsWith('x.keyrite'))
    expect(planted.map(({ kind, ok, problems }) => [kind, ok, problems])).toEqual(
      Array(3).fill(['unknown', false, ['Nothing signed in this call vouches for this file.']]),
    )
    expect(failed(report)).toHaveLength(3)
    expect(fileOf(report, 'record.json').standing).toBe('verified')
  },
)

describe('keyrite verify', () => {
  const MAIN = join(import.meta.dirname, '../../electron/cli/main.ts')
  const run = (...args: string[]): { status: number; out: string } => {
    try {
      return { status: 0, out: execFileSync(process.execPath, [MAIN, 'verify', ...args], { encoding: 'utf8' }) }
    } catch (error) {
      const { status, stdout } = error as { status: number; stdout: string }
      return { status, out: stdout }
    }
  }

  test('exits 0 when all holds, 3 without an anchor or with a problem', async () => {
    const folder = await recordFolder()
    const good = run(folder, '--trust-anchor', anchorPath, '--json')
    expect(good.status).toBe(0)
    expect(JSON.parse(good.out)).toMatchObject({ ok: true, data: { anchored: true } })
    const bare = run(folder, '--json')
    expect(bare.status).toBe(3)
    expect(JSON.parse(bare.out)).toMatchObject({ ok: false, data: { anchored: false } })
    put(folder, 'record.html', 'x')
    const bad = run(folder, '--trust-anchor', anchorPath)
    expect(bad.status).toBe(3)
    expect(bad.out).toContain('✗ FAILED')
    expect(bad.out).toContain('It is not what the record beside it says.')
    expect(bad.out).toContain('8 files: 6 verified, 0 consistent in themselves, 2 failed.')
  })

  test('exits 3 for a page that cannot be compared, and for a planted file, which it lists', async () => {
    const folder = await recordFolder()
    const page = readFileSync(join(folder, 'record.html'), 'utf8')
    put(folder, 'record.html', page.replace(`Keyrite pages ${PAGE_VERSION}`, `Keyrite pages ${PAGE_VERSION - 1}`))
    put(folder, 'a.keyrite', statementFile(await signStatement('keyrite-constructor', {}, vault.root.signer)))
    const { status, out } = run(folder, '--trust-anchor', anchorPath)
    expect(status).toBe(3)
    expect(out).toContain('draw it again with "keyrite ceremony show ID --records DIR"')
    expect(out).toContain('Nothing signed in this call vouches for this file.')
    expect(out).toContain('9 files: 6 verified, 0 consistent in themselves, 3 failed.')
  })

  test('text from files cannot steer the terminal', async () => {
    const folder = newFolder()
    put(folder, 'a\u001b[31m\u202e.txt', 'x')
    const { out } = run(folder, '--trust-anchor', anchorPath)
    for (const char of ['\u001b', '\u202e']) expect(out).not.toContain(char)
  })
})
