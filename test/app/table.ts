import type { App } from '../../electron/app/app.ts'
import type { Gives, MethodName, Takes } from '../../shared/contract/contract.ts'
import type { Answer, Question, Sitting } from '../../shared/contract/sitting.ts'

/** People around the app in a test: they answer every question as the screens would. */

export type People = ReadonlyMap<string, string>

/** Calls a method that must succeed. */
export async function call<M extends MethodName>(app: App, method: M, input: Takes<M>): Promise<Gives<M>> {
  const outcome = await app.call(method, input)
  if (!outcome.ok) throw Object.assign(new Error(`${method}: ${outcome.error.message}`), { failure: outcome.error })
  return outcome.value as Gives<M>
}

/** Calls a method that must fail, and gives the failure. */
export async function refused<M extends MethodName>(app: App, method: M, input: unknown) {
  const outcome = await app.call(method, input)
  if (outcome.ok) throw new Error(`${method} was not refused`)
  return outcome.error
}

/** Own answers instead of the usual ones; null: the usual one. */
export type Otherwise = (question: Question, sitting: Sitting) => Answer | 'stop' | null

export type Table = {
  app: App
  people: People
  /** Passphrases that people choose while they sit here. */
  chosen: Map<string, string>
  now: () => number
  /** The words of a digest, as the other side reads them aloud. */
  heard: (hex: readonly string[]) => string[]
  otherwise?: Otherwise
}

/** Everybody comes in who is known, and the ceremony is begun. */
export async function comeIn({ app, people }: Pick<Table, 'app' | 'people'>, who?: readonly string[]): Promise<void> {
  const sitting = await call(app, 'sitting', {})
  for (const { id, hereSince } of sitting?.people ?? []) {
    const passphrase = people.get(id)
    if (hereSince !== null || passphrase === undefined || (who && !who.includes(id))) continue
    if (sitting?.alone && sitting.alone !== id) continue
    await call(app, 'arrive', { person: id, passphrase })
  }
}

/** Answers until the sitting is over, or `otherwise` says stop. Gives the sitting as it then is. */
export async function answerAll(table: Table): Promise<Sitting> {
  for (;;) {
    const sitting = await settled(table.app)
    const { question } = sitting
    if (!question) return sitting
    const own = table.otherwise?.(question, sitting) ?? null
    if (own === 'stop') return sitting
    await call(table.app, 'answer', { question: question.id, answer: own ?? usual(question, table) })
  }
}

/** The sitting once a question is asked or everything is over. */
export async function settled(app: App): Promise<Sitting> {
  for (let waited = 0; waited < 60_000; waited += 5) {
    const sitting = await call(app, 'sitting', {})
    if (!sitting) throw new Error('Nobody sits here.')
    if (sitting.question || !['gathering', 'running'].includes(sitting.phase)) return sitting
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error('The engine asked nothing for a minute.')
}

const utc = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')

function usual(question: Question, table: Table): Answer {
  switch (question.ask) {
    case 'plan':
      return { give: 'plan', same: true }
    case 'time': {
      const by = question.people.find(({ id }) => !question.read.some((one) => one.by === id))?.id ?? ''
      return { give: 'watch', by, utc: utc(table.now()) }
    }
    case 'head-card':
      return { give: 'head-card', card: null }
    case 'begin':
      return { give: 'begin' }
    case 'initial':
      return { give: 'initials', initials: question.initials[0]?.initials.toLowerCase() ?? '' }
    case 'approve': {
      const next = question.custodians.find(({ id }) => !question.approved.some((one) => one.id === id))
      const id = next?.id ?? ''
      return { give: 'approval', person: id, passphrase: table.chosen.get(id) ?? table.people.get(id) ?? 'any words' }
    }
    case 'compare': {
      const [reader, typist] = question.people
      if (!question.reader) return { give: 'readers', reader: reader?.id ?? '', typist: typist?.id ?? '' }
      const place = question.covered.find((one) => !question.typed.includes(one))
      if (place === undefined) return { give: 'rest', agrees: true }
      return { give: 'word', place, word: table.heard(question.hex)[place] ?? '' }
    }
    case 'confirm': {
      const next = question.people.find(({ id }) => !question.typed.some((one) => one.id === id))
      return { give: 'words', person: next?.id ?? '', words: question.words }
    }
    case 'dice':
      return { give: 'dice', rolls: '4 2 6 1 3 5 2 2 6 4' }
    case 'secret': {
      if (question.stage === 'choose') return { give: 'secret-choice', choose: 'generated' }
      if (question.stage === 'show') {
        table.chosen.set(question.owner.id, question.generated.join(' '))
        return { give: 'secret-shown' }
      }
      return { give: 'secret', secret: table.chosen.get(question.owner.id) ?? 'the password of a file' }
    }
    case 'agree':
      return { give: 'agreement', agrees: true, reason: null }
  }
}
