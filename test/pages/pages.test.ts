import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { SCRIPTS } from '../../shared/domain/script.ts'
import { digest } from '../../shared/formats/bytes.ts'
import type { CertificateFile } from '../../shared/formats/certificate.ts'
import type { Evidence } from '../../shared/formats/evidence.ts'
import { hexGroups, words } from '../../shared/formats/fingerprint.ts'
import { type CeremonyRecord, recordDigest } from '../../shared/formats/record.ts'
import { renderCertificate } from '../../shared/pages/certificate-page.ts'
import { renderEvidence } from '../../shared/pages/evidence-page.ts'
import { renderHeadCard } from '../../shared/pages/head-card-page.ts'
import { escapeHtml, html, renderPage } from '../../shared/pages/page.ts'
import { signatureBlocks } from '../../shared/pages/parts.ts'
import { renderRecord } from '../../shared/pages/record-page.ts'
import { scriptText } from '../../shared/pages/script-text.ts'
import { drawSteps } from '../../shared/pages/steps-svg.ts'
import { spellTime } from '../../shared/pages/words.ts'
import {
  AT,
  closeRecord,
  newSampleVault,
  type SampleVault,
  sampleCertificate,
  sampleCertificateFile,
  sampleEvidence,
  sampleRecord,
  sampleRuntime,
  signAll,
  VAULT_ID,
} from '../evidence/sample.ts'

const HOSTILE = `<script>alert("x")</script>' onload=x`
const TURNED = 'abc\u202edef\u200f\u0000'

type Pages = { record: string; certificate: string; evidence: string; card: string }
type Parts = { vault: SampleVault; record: CeremonyRecord; file: CertificateFile; evidence: Evidence }

const draw = ({ vault, record, file, evidence }: Parts): Pages => ({
  record: renderRecord(record),
  certificate: renderCertificate(file),
  evidence: renderEvidence(evidence),
  card: renderHeadCard(
    { name: vault.name, vaultId: VAULT_ID, practice: vault.practice, root: vault.root.signer.kid },
    vault.checkpoint,
  ),
})

async function partsOf(options: { practice?: boolean; name?: string; tenantName?: string }): Promise<Parts> {
  const vault = await newSampleVault(options)
  const record = await sampleRecord(vault, (body) => {
    const [step] = body.steps
    if (step && options.name) step.observed = `${options.name}${TURNED}`
  })
  const file = await sampleCertificateFile(vault, sampleCertificate(vault))
  const { acceptance } = await sampleRuntime(vault)
  return { vault, record, file, evidence: await sampleEvidence(vault, { record, certificate: file, acceptance }) }
}

let plain: Parts
let pages: Pages
let hostile: Pages
let practice: Pages
beforeAll(async () => {
  plain = await partsOf({})
  pages = draw(plain)
  hostile = draw(await partsOf({ name: HOSTILE, tenantName: HOSTILE }))
  practice = draw(await partsOf({ practice: true }))
})

const REASON = 'Nobody read the words aloud.'
const objecting = async (person: string) =>
  person === 'compliance-1' ? { agrees: false as const, reason: REASON } : { agrees: true as const }

const KINDS = ['record', 'certificate', 'evidence', 'card'] as const

describe('escaping', () => {
  test('markup, quotes and ampersands become entities', () => {
    expect(escapeHtml(`<a href="x" y='z'>&</a>`)).toBe('&lt;a href=&quot;x&quot; y=&#39;z&#39;&gt;&amp;&lt;/a&gt;')
    expect(html`<b>${'<i>'}${html`<u>`}${[1, null, '&']}</b>`.text).toBe('<b>&lt;i&gt;<u>1&amp;</b>')
  })

  test('characters that nobody sees become visible', () => {
    expect(escapeHtml(TURNED)).toBe('abc[U+202E]def[U+200F][U+0000]')
    expect(escapeHtml('שלום äöü 日本')).toBe('שלום äöü 日本')
  })

  test.each(KINDS)('hostile names stay text on the %s page', (kind) => {
    expect(hostile[kind]).toContain('&lt;script&gt;alert(&quot;x&quot;)')
    expect(hostile[kind]).not.toMatch(/<script|<[^>]*\sonload/i)
    expect(hostile[kind]).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/)
  })

  test('a hostile document number cannot leave the style sheet', () => {
    const page = renderPage({ title: 't', number: '"}</style><script>', practice: false, body: 'b' })
    expect(page).not.toContain('<script')
    expect(page.match(/<\/style>/g)).toHaveLength(1)
  })
})

describe('one file, no script, no request', () => {
  test.each(KINDS)('the %s page refers to nothing outside itself', (kind) => {
    const page = pages[kind]
    expect(page).not.toMatch(/<(script|link|img|iframe|object|embed|base|form|image|use)\b/i)
    expect(page).not.toMatch(/\s(src|href|srcset|action|style|on\w+)=/i)
    expect(page).not.toMatch(/@import|@font-face|url\((?!#)/i)
  })

  test.each(KINDS)('the %s page allows exactly its own style sheet', (kind) => {
    const css = /<style>([\s\S]*)<\/style>/.exec(pages[kind])?.[1] ?? ''
    const hash = createHash('sha256').update(css).digest('base64')
    expect(pages[kind]).toContain(`default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;`)
  })

  test('the same files give the same bytes', () => {
    expect(draw(structuredClone(plain))).toEqual(pages)
  })

  test.each(KINDS)('the %s page of a practice vault says PRACTICE, a production one does not', (kind) => {
    expect(practice[kind]).toContain('class="watermark"')
    expect(practice[kind]).toMatch(/<title>PRACTICE: /)
    expect(pages[kind]).not.toContain('PRACTICE')
  })
})

describe('the record page', () => {
  test('names the people, the times in full, the approvals and the deviation', () => {
    const page = pages.record
    expect(spellTime(AT + 2)).toBe('9 June 2026, 14:00:02 UTC')
    for (const text of [
      'Custodian 3',
      'Compliance officer 1',
      'Erase the vault&#39;s copy',
      'Custodians 2 and 4 are travelling.',
    ])
      expect(page).toContain(text)
    expect(page).toContain('agrees, 9 June 2026, <span class="t">14:32:41 UTC</span>')
    expect(page).toContain('Custodian 1</bdi>, <bdi>Custodian 3</bdi>, <bdi>Custodian 5')
    expect(page).toContain('as far as the machine was honest')
  })

  test('names who closed the ceremony, even where nothing else needs a quorum', async () => {
    const closed = /<tr><td>Sign the record<\/td><td>.*Custodian 1.*Custodian 3.*Custodian 5/
    expect(pages.record).toMatch(closed)
    const record = await sampleRecord(plain.vault, (body) => {
      body.approvals = []
    })
    expect(renderRecord(record)).toMatch(closed)
  })

  test('draws every step from the one before it, its approvals, the deviation and the end', () => {
    const drawing = /<svg class="drawing" width="720"[\s\S]*?<\/svg>/.exec(pages.record)?.[0] ?? ''
    const count = SCRIPTS.destroy.length
    expect(drawing.match(/class="bar"/g)).toHaveLength(count + 1)
    expect(drawing.match(/class="act"/g)).toHaveLength(SCRIPTS.destroy.filter((step) => step.quorum).length + 1)
    expect(drawing.match(/class="flag"/g)).toHaveLength(1)
    for (const { title } of SCRIPTS.destroy) expect(drawing).toContain(escapeHtml(title))
    expect(drawing).toContain('9 June 2026, 14:00:00 UTC')
    // The last signature: five people, 61 seconds apart.
    expect(drawing).toContain('14:36:45 UTC')
    expect(drawing).toContain('>14:10<')
  })

  test('a ceremony in which no time passed is drawn as well', () => {
    const steps = [{ title: 'One', from: AT, to: AT, approved: true }]
    const { text } = drawSteps({ from: AT, to: AT, steps, deviations: [AT, AT] })
    expect(text).not.toMatch(/NaN|Infinity/)
  })

  test('says of every step what was read aloud, done, to be observed and observed', () => {
    const page = pages.record
    for (const { readAloud, do: what, observe } of SCRIPTS.destroy)
      for (const text of [readAloud, what, observe]) expect(page).toContain(escapeHtml(text))
    expect(page).toContain('<dt>Observed</dt><dd><b>Self-test passed: 9 algorithms.</b>')
    expect(page.match(/<li class="step">/g)).toHaveLength(SCRIPTS.destroy.length)
  })

  test('draws the threshold: a slot for each custodian, filled for each who approved', () => {
    const [first = ''] = /<svg class="quorum"[\s\S]*?<\/svg>/.exec(pages.record) ?? []
    expect(first).toContain('aria-label="3 of 5 custodians approved; 3 are needed."')
    expect(first.match(/class="slot given"/g)).toHaveLength(3)
    expect(first.match(/class="slot"/g)).toHaveLength(2)
  })

  test('a participant who does not agree stands boxed, with the reason, before anything else', async () => {
    const page = renderRecord(await closeRecord(plain.vault, plain.record.record, { ask: objecting }))
    expect(page).toMatch(
      /<section class="objection"><p><b><bdi>Compliance officer 1<\/bdi><\/b> does not agree with this record\./,
    )
    expect(page.indexOf(REASON)).toBeLessThan(page.indexOf('<h2>Who was there</h2>'))
    expect(page).toContain('<b>does not agree</b>')
    expect(page).toContain('.objection{border:var(--rule) solid var(--ink)')
    expect(pages.record).not.toContain('<section class="objection">')
  })

  test('shows its digest in groups and words', () => {
    const digest = recordDigest(plain.record.record)
    expect(pages.record).toContain(hexGroups(digest).slice(0, 8).join(' '))
    words(digest).forEach((word, index) => {
      expect(pages.record).toContain(`<i>${index + 1}</i>${word}`)
    })
  })

  test('says plainly that nothing deviated, and who has not signed', async () => {
    const record = await sampleRecord(plain.vault, (body) => {
      body.deviations = []
    })
    delete record.signatures['custodian-3']
    const page = renderRecord(record)
    expect(page).toContain('None. Every step happened as planned.')
    expect(page).toContain('has not signed')
  })

  test('shows a plan that is not JSON as it stands', async () => {
    const record = await sampleRecord(plain.vault, (body) => {
      body.plan = 'not <json>'
    })
    expect(renderRecord(record)).toContain('not &lt;json&gt;')
  })

  test('the script is plain text in the order of the steps', () => {
    const text = scriptText(plain.record.record)
    expect(text).toContain('1. Check the machine\n   Who: administrator\n')
    expect(text.search(/^\d+\. Erase/m)).toBeGreaterThan(text.indexOf('3. Confirm'))
  })
})

/** What the style sheet says for paper. */
const printed = (page: string): string => /@media print\{([\s\S]*)\n\}?/.exec(page)?.[1] ?? ''

describe('on paper', () => {
  test.each(KINDS)(
    'the %s page fits A4 and Letter: no paper size is fixed, no drawing is wider than 170 mm',
    (kind) => {
      expect(pages[kind]).toContain('@page{margin:20mm}')
      expect(pages[kind]).not.toMatch(/@page[^}]*[{;]\s*size:/)
      expect(printed(pages[kind])).toContain('main{max-width:none')
      expect(pages[kind]).toContain('svg.drawing{width:100%;height:auto')
    },
  )

  test.each(KINDS)('the %s page has its number and the page of how many at the foot of every sheet', (kind) => {
    expect(pages[kind]).toMatch(/@bottom-left\{content:"(?:D-2026-009|D-2026-009-C1|Evidence 9 June 2026|Event 214)"/)
    expect(pages[kind]).toContain('@bottom-right{content:"Page " counter(page) " of " counter(pages)')
    expect(practice[kind]).toContain('@bottom-center{content:"PRACTICE"')
  })

  test('nothing is told by colour: every colour is black or white', () => {
    const [, root = ''] = /@media print\{:root\{color-scheme:light;(.*?)\}/s.exec(pages.record) ?? []
    const colours = [...root.matchAll(/--[\w-]+:(#[0-9A-F]{3,6})/g)].map((match) => match[1])
    expect(new Set(colours)).toEqual(new Set(['#000', '#FFF']))
  })

  test('a step, a row, a signature and a digest are never split, and no heading stands alone', () => {
    const css = printed(pages.record)
    expect(css).toMatch(/tr,li,figure,[^{]*\.digest,\.objection[^{]*\{break-inside:avoid\}/)
    expect(css).toContain('h1,h2,h3{break-after:avoid}')
    expect(css).toContain('thead{display:table-header-group}')
    expect(css).toContain('.signed{break-inside:avoid}')
  })

  test('the watermark lies behind what is written, and digests have a ground of their own', () => {
    expect(practice.record).toMatch(/<main>\s*<div class="watermark"/)
    expect(practice.record).toMatch(/\.watermark\{[^}]*z-index:-1/)
    expect(practice.record).toContain('main{position:relative;isolation:isolate')
    expect(practice.record).toContain('.hex,.words,.mono{background:var(--surface)}')
  })

  test.each([
    [2, 'row-4'],
    [3, 'row-4'],
    [4, 'row-4'],
    [5, 'row-3'],
    [6, 'row-4'],
    [7, 'row-4'],
    [9, 'row-3'],
    [13, 'row-5'],
  ])('of %i signatures none stands alone in the last row', (count, row) => {
    const people = Array.from({ length: count }, (_, index) => ({
      id: `p-${index}`,
      name: `Person ${index}`,
      role: 'custodian' as const,
    }))
    expect(signatureBlocks(people, {}, []).text).toContain(`<ul class="signed ${row}">`)
    expect(count % Number(row.slice(4))).not.toBe(1)
  })

  test('a head card fits a wallet, and a name of 200 characters is set smaller, not cut', () => {
    expect(pages.card).toContain('.card{width:85.6mm')
    expect(pages.card).toContain('.card section{height:54mm')
    const of = { vaultId: VAULT_ID, practice: false, root: plain.vault.root.signer.kid }
    for (const [length, size] of [
      [20, 'full'],
      [50, 'small'],
      [200, 'tiny'],
    ] as const) {
      const page = renderHeadCard({ ...of, name: 'W'.repeat(length) }, plain.vault.checkpoint)
      expect(page).toContain(`<h2 class="${size}"><bdi>${'W'.repeat(length)}</bdi></h2>`)
    }
  })
})

describe('the certificate page', () => {
  test('says deletion and counts the open copies in words', () => {
    expect(pages.certificate).toContain('<h1>Certificate of deletion</h1>')
    expect(pages.certificate).toContain(
      'was erased from the vault’s file on 9 June 2026 at 14:10:10 UTC, by three of five custodians, in the presence of one compliance officer. Two known copies are still open. This is therefore not a certificate of destruction.',
    )
    expect(pages.certificate.match(/<span class="open">Open<\/span>/g)).toHaveLength(2)
    for (const column of ['Verified by Keyrite', 'Stated by others', 'Not provable'])
      expect(pages.certificate).toContain(`<h3>${column}</h3>`)
  })

  test('claims no more than was proved: erased from the file, and for a destruction that something stays unprovable', async () => {
    const certificate = sampleCertificate(plain.vault)
    for (const key of certificate.keys) for (const copy of key.copies) copy.status = 'attested'
    const page = renderCertificate(await sampleCertificateFile(plain.vault, { ...certificate, grade: 'destruction' }))
    expect(page).toContain('No known copy is open. What nobody can prove stands below.')
    const [, lead = ''] = /<p class="lead">(.*?)<\/p>/.exec(page) ?? []
    expect(lead).not.toMatch(/destroyed|irrecoverabl|gone/)
  })

  test('a participant who does not agree stands boxed above everything else', async () => {
    const file = await sampleCertificateFile(plain.vault, sampleCertificate(plain.vault))
    file.signatures = await signAll(plain.vault, digest(file.certificate), undefined, objecting)
    const page = renderCertificate(file)
    expect(page).toContain('<b><bdi>Compliance officer 1</bdi></b> does not agree with this certificate.')
    expect(page.indexOf(REASON)).toBeLessThan(page.indexOf('<h2>Known copies</h2>'))
  })

  test('a batch has a section for each key', async () => {
    const page = renderCertificate(await sampleCertificateFile(plain.vault, sampleCertificate(plain.vault, 3)))
    expect(page).toContain('The three private keys named below were erased from the vault’s file')
    expect(page.match(/<h3>Known copies<\/h3>/g)).toHaveLength(3)
  })
})

describe('the evidence page', () => {
  const changed = async (change: Parameters<typeof sampleEvidence>[2]): Promise<string> => {
    const { acceptance } = await sampleRuntime(plain.vault)
    return renderEvidence(
      await sampleEvidence(plain.vault, { record: plain.record, certificate: plain.file, acceptance }, change),
    )
  }

  test('answers first, then names what needs attention and what was not collected', () => {
    expect(pages.evidence).toContain('<h1>All three tenants can sign. One thing needs attention.</h1>')
    expect(pages.evidence).toContain('still open: Runtime us-1, Vault medium.')
    expect(pages.evidence).toContain('This version makes none yet.')
    expect(pages.evidence).toContain('today, 9 June 2026')
  })

  test('says no when a foreign token passed', async () => {
    const page = await changed((body) => {
      if (body.isolation) body.isolation.accepted = 1
    })
    expect(page).toContain('<h1>No. All three tenants can sign.')
    expect(page).toContain('One token of one tenant passed at another.')
    expect(page).not.toContain('Only the diagonal passes')
  })

  test('says no when a tenant cannot sign, and that isolation was not tried', async () => {
    const page = await changed((body) => {
      const key = body.tenants[0]?.keys[0]
      if (key) key.compromised = { at: AT, reason: 'stolen' }
      body.isolation = null
    })
    expect(page).toContain('<h1>No. Two of three tenants can sign.')
    expect(page).toContain('Isolation not tried')
  })

  test('a large fleet is drawn as one field', async () => {
    const page = await changed((body) => {
      body.isolation = {
        at: AT,
        tenants: 200,
        pairs: 39_800,
        rejectedByPolicy: 39_800,
        rejectedBySignature: 39_800,
        signatureChecks: 39_800,
        accepted: 0,
      }
    })
    expect(page.match(/class="cell"/g)).toHaveLength(1)
  })
})

test('the head card has the sequence, the head and the root in groups and words', () => {
  const { kid } = plain.vault.root.signer
  expect(pages.card).toContain('<b>event 214</b>')
  expect(pages.card).toContain(hexGroups(kid).slice(8).join(' '))
  expect(pages.card).toContain(`<i>24</i>${words(kid)[23]}`)
})
