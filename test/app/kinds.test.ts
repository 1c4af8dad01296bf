import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, createApp } from '../../electron/app/app.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import { CEREMONY_KINDS } from '../../shared/domain/events.ts'
import { isAlone, SCRIPTS } from '../../shared/domain/script.ts'
import { filesOf, type Genesis, makeGenesis, PASSPHRASES } from '../ceremony/fixtures.ts'
import { Story } from '../ceremony/kinds.ts'
import { fromHexGroups } from './hex.ts'
import { answerAll, call, comeIn, type Otherwise } from './table.ts'

/** Every kind of ceremony that the engine has can be held at the screen, from its plan to its signed record. */

let genesis: Genesis
let story: Story

beforeAll(async () => {
  genesis = await makeGenesis()
  story = new Story(genesis)
})
afterAll(() => genesis.remove())

/** Whom the questions of a kind must have been put to people for, beyond those of every ceremony. */
const ASKED: Partial<Record<(typeof CEREMONY_KINDS)[number], string>> = {
  'enroll-runtime': 'compare',
  'export-key': 'compare',
  'root-rotate': 'compare',
  destroy: 'confirm',
  passphrase: 'secret',
  genesis: 'secret',
}

describe.each(CEREMONY_KINDS)('%s at the screen', (kind) => {
  it('runs to its record, step by step', async () => {
    const { room, plan, present } = await story.ready(kind)
    const app: App = await createApp({
      home: room.base,
      practice: false,
      shell: 'browser',
      now: room.clock.now,
      elapsed: room.clock.now,
      networks: () => [],
    })
    const asked = new Set<string>()
    const otherwise: Otherwise = (question) => {
      asked.add(question.ask)
      if (question.ask === 'begin') room.clock.advance(60)
      return null
    }
    const people = kind === 'genesis' ? new Map<string, string>() : new Map(PASSPHRASES)
    try {
      mkdirSync(room.media, { recursive: true })
      await call(app, 'chooseMedium', { folder: room.media })
      const folder = kind === 'genesis' ? null : room.vault
      await call(app, 'sit', { doing: 'hold', folder, plan: JSON.stringify(plan), overrides: [] })
      await comeIn({ app, people }, present)
      await call(app, 'begin', {})
      const sitting = await answerAll({
        ...{ app, people, chosen: people, now: room.clock.now, heard: fromHexGroups, otherwise },
      })
      expect(sitting.problem).toBeNull()
      expect(sitting).toMatchObject({ phase: 'finished', kind })
      expect(sitting.steps).toHaveLength(SCRIPTS[kind].length + 1)
      expect(sitting.steps.filter(({ status }) => status !== 'done')).toEqual([])
      expect(asked).toContain(ASKED[kind] ?? 'begin')
      expect(asked.has('time')).toBe(!isAlone(kind))
      // A new root is followed from the old one by the succession that both signed.
      const carried = filesOf(room.media).map((name) => join(room.media, name))
      const anchor = carried.find((path) => basename(path).startsWith('trust-anchor-')) ?? ''
      const successions = carried.filter((path) => basename(path).startsWith('succession-'))
      const { files } = await verifyFiles([sitting.result?.record ?? '', ...successions], anchor, room.clock.now())
      expect(files.length).toBeGreaterThan(5)
      expect(files.filter(({ standing }) => standing === 'failed')).toEqual([])
    } finally {
      await app.close()
    }
  })
})
