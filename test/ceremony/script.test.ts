import { describe, expect, it } from 'vitest'
import { ACTS } from '../../electron/ceremony/acts.ts'
import { CEREMONY_KINDS } from '../../shared/domain/events.ts'
import { ROLES } from '../../shared/domain/roster.ts'
import { type Condition, lintScript, SCRIPTS, SIGN_OFF, type Step } from '../../shared/domain/script.ts'

/** A step whose precondition no earlier step establishes is an error at lint time, not in the room. */

const steps = CEREMONY_KINDS.flatMap((kind) =>
  SCRIPTS[kind].map((step): [string, Step] => [`${kind}: ${step.id}`, step]),
)
const all = [...steps, ['every ceremony: sign-off', SIGN_OFF] as [string, Omit<Step, 'act'>]]

describe('lintScript', () => {
  it.each(CEREMONY_KINDS)('%s is in order', (kind) => {
    expect(lintScript(SCRIPTS[kind])).toEqual([])
    expect(SCRIPTS[kind].length).toBeGreaterThan(1)
  })

  /** Steps that something later in the same script needs. */
  const needed = CEREMONY_KINDS.flatMap((kind) =>
    SCRIPTS[kind].flatMap((step, index) => {
      const before = new Set(SCRIPTS[kind].slice(0, index).flatMap((one) => one.gives))
      const own = step.gives.filter((given) => !before.has(given))
      const later = SCRIPTS[kind].slice(index + 1).find((one) => one.needs.some((need) => own.includes(need)))
      return later ? [[kind, step.id, later.id] as const] : []
    }),
  )

  it('every step but the last is needed by a later one, so that none can be left out unnoticed', () => {
    const loose = CEREMONY_KINDS.flatMap((kind) =>
      SCRIPTS[kind]
        .slice(0, -1)
        .filter((step) => !needed.some(([of, id]) => of === kind && id === step.id))
        .map((step) => `${kind}: ${step.id}`),
    )
    expect(loose).toEqual([])
  })

  it.each(needed)('%s without %s names %s', (kind, id, later) => {
    const missing = lintScript(SCRIPTS[kind].filter((step) => step.id !== id))
    expect(missing.some((finding) => finding.startsWith(`${later}: `))).toBe(true)
  })

  it.each(needed)('%s with %s after %s names what is missing', (kind, id, later) => {
    const [step] = SCRIPTS[kind].filter((one) => one.id === id)
    const rest = SCRIPTS[kind].filter((one) => one.id !== id)
    const at = rest.findIndex((one) => one.id === later)
    const moved = [...rest.slice(0, at + 1), ...(step ? [step] : []), ...rest.slice(at + 1)]
    expect(lintScript(moved).some((finding) => finding.startsWith(`${later}: `))).toBe(true)
  })

  it('names step and condition', () => {
    const [first] = SCRIPTS.rotate
    const invented = { ...(first as Step), id: 'dream', needs: ['absence-proved' as Condition] }
    expect(lintScript([invented])).toEqual(['dream: absence-proved'])
  })
})

describe('performers', () => {
  it('every act of every script has one, and none is left over', () => {
    const acts = new Set<string>(steps.map(([, step]) => step.act))
    expect([...acts].filter((name) => name !== 'create-vault' && !(name in ACTS))).toEqual([])
    expect(Object.keys(ACTS).filter((name) => !acts.has(name))).toEqual([])
  })

  it('a vault is created by genesis alone, in its first step', () => {
    const creating = steps.filter(([, step]) => step.act === 'create-vault').map(([name]) => name)
    expect(creating).toEqual(['genesis: create-vault'])
    expect(SCRIPTS.genesis[0]?.act).toBe('create-vault')
  })
})

describe('order', () => {
  it.each(CEREMONY_KINDS)('%s: step ids are unique, and none is the runner’s own closing', (kind) => {
    const ids = SCRIPTS[kind].map((step) => step.id)
    expect(new Set([...ids, SIGN_OFF.id]).size).toBe(ids.length + 1)
  })

  it.each(CEREMONY_KINDS.filter((kind) => kind !== 'genesis'))('%s checks the machine before anything else', (kind) => {
    expect(SCRIPTS[kind][0]?.id).toBe('check-machine')
  })

  it('whatever makes, uses, exports or destroys a private key needs the quorum', () => {
    const acts = [
      'make-keys',
      'accept-runtime',
      'export-files',
      'record-compromise',
      'destroy-bytes',
      'new-epoch',
      'issue-certificate',
    ]
    const unguarded = steps.filter(([, step]) => acts.includes(step.act) && !step.quorum).map(([name]) => name)
    expect(unguarded).toEqual([])
    expect(SIGN_OFF.quorum).toBe(true)
  })

  it('what nothing leads back from is marked, and the people confirm a destruction before it', () => {
    const marked = steps.filter(([, step]) => step.noWayBack).map(([name]) => name)
    expect(marked).toEqual([
      'emergency: record-compromise',
      'destroy: destroy-bytes',
      'custody: activate-roster',
      'root-rotate: rotate-root',
      'import-key: take-keys',
      'restore: restore-vault',
    ])
    const ids = SCRIPTS.destroy.map((step) => step.id)
    expect(ids.indexOf('confirm-destruction')).toBeLessThan(ids.indexOf('destroy-bytes'))
    expect(ids.indexOf('prove-absence')).toBeGreaterThan(ids.indexOf('new-file'))
    expect(ids.at(-1)).toBe('issue-certificate')
  })
})

describe('words', () => {
  it.each(all)('%s: every field says something, in whole sentences', (_, step) => {
    for (const field of ['title', 'readAloud', 'do', 'observe'] as const) {
      expect([field, step[field].trim()]).toEqual([field, step[field]])
      expect(step[field].length).toBeGreaterThan(3)
    }
    for (const field of ['readAloud', 'do', 'observe'] as const) expect(step[field]).toMatch(/[.?]$/)
    expect(step.title).not.toMatch(/[.]$/)
  })

  it.each(all)('%s: somebody acts, and it takes minutes', (_, step) => {
    expect([...ROLES, 'everyone']).toContain(step.who)
    expect(step.minutes).toBeGreaterThan(0)
    expect(step.minutes).toBeLessThanOrEqual(30)
  })

  it.each(all)('%s: fits the record and the event log', (_, step) => {
    expect(step.id).toMatch(/^[a-z][a-z-]{1,40}$/)
    for (const field of ['title', 'readAloud', 'do', 'observe'] as const) expect(step[field].length).toBeLessThan(400)
  })
})
