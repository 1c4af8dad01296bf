import { createContext, type ReactNode, type RefObject, useContext, useEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import type { Failure } from '../../../shared/contract/common.ts'
import type { Answer, Question, Sitting } from '../../../shared/contract/sitting.ts'
import { FailureNotice } from '../../components/Notice.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import css from './sitting.module.css'

/** What every view of a question shares: the footer's place for the act due now, and the way an answer is given. */

const Place = createContext<HTMLElement | null>(null)
export const ActPlace = Place.Provider

/** The act due now: it stands bottom right, wherever on the screen the view is. */
export function Act({ children }: { children: ReactNode }) {
  const place = useContext(Place)
  return place ? createPortal(children, place) : null
}

export type Of<K extends Question['ask']> = Extract<Question, { ask: K }>
export type ViewProps<K extends Question['ask']> = { sitting: Sitting; question: Of<K> }

/** What is asked, however often an answer to it is refused: while it stays, the focus does. */
export function subjectOf(question: Question): string {
  switch (question.ask) {
    case 'begin':
    case 'initial':
      return `${question.ask} ${question.step}`
    case 'approve':
      return `approve ${question.title}`
    case 'compare':
      return `compare ${question.what}`
    case 'secret':
      return `secret ${question.owner.id} ${question.what}`
    case 'agree':
      return `agree ${question.person.id}`
    default:
      return question.ask
  }
}

export type Asking = {
  /** The question in force; while an answer to it is looked at, it stays. */
  question: Question | null
  give: (answer: Answer) => void
  /** An answer is being looked at. */
  pending: boolean
  /** Why the last answer did not even become one. */
  failure: Failure | null
  /** Counts the answers that came back. */
  answered: number
}

export const AskedContext = createContext<Asking | null>(null)
export const AskedBy = AskedContext.Provider

/** Follows the questions of a sitting and answers them. Each answer is for the question that stands on the screen. */
export function useAsking({ question }: Sitting): Asking {
  const { call } = useKeyrite()
  const [calling, setCalling] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const [answered, setAnswered] = useState<{ id: number; count: number }>({ id: 0, count: 0 })
  const last = useRef(question)
  if (question) last.current = question
  // The engine tells what became of an answer; until then its question must not be answered twice.
  const untold = failure === null && question !== null && question.id === answered.id
  const pending = calling || untold
  const give = async (answer: Answer): Promise<void> => {
    if (pending || !question) return
    setCalling(true)
    setFailure(null)
    try {
      await call('answer', { question: question.id, answer })
    } catch (error) {
      setFailure(error as Failure)
    }
    setAnswered(({ count }) => ({ id: question.id, count: count + 1 }))
    setCalling(false)
  }
  return { question: question ?? (calling ? last.current : null), give, pending, failure, answered: answered.count }
}

export type Answering = Omit<Asking, 'question'> & {
  /** Around the fields of the question: the first that can be typed into has the focus again after each answer. */
  fields: RefObject<HTMLDivElement | null>
}

/** For the view of one question. */
export function useAnswering(): Answering {
  const asking = useContext(AskedContext)
  if (!asking) throw new Error('A question is shown inside a sitting.')
  return { ...asking, fields: useFocusBack(asking.pending) }
}

const FIELD = 'input:not(:disabled):not([type=radio]):not([type=checkbox]):not([readonly]), textarea:not(:disabled)'

/**
 * Brings the focus back to the first field once something is no longer under way and the fields still stand there. What
 * was under way before they appeared is no business of theirs: then the title has the focus.
 */
export function useFocusBack(pending: boolean): RefObject<HTMLDivElement | null> {
  const fields = useRef<HTMLDivElement>(null)
  const before = useRef(pending)
  const began = useRef(false)
  useEffect(() => {
    if (pending && !before.current) began.current = true
    if (!pending && began.current) {
      began.current = false
      fields.current?.querySelector<HTMLElement>(FIELD)?.focus()
    }
    before.current = pending
  }, [pending])
  return fields
}

/** A calm word once something takes longer than half a second. */
export function Waiting({ when, children }: { when: boolean; children?: ReactNode }) {
  const [long, setLong] = useState(false)
  useEffect(() => {
    if (!when) return setLong(false)
    const timer = setTimeout(() => setLong(true), 500)
    return () => clearTimeout(timer)
  }, [when])
  return (
    <p className={css.waiting} role="status">
      {when && long ? (children ?? text.sitting.checking) : ''}
    </p>
  )
}

/** Why the last answer was not taken: said at once, beside the field. */
export function Refused({ problem, failure }: { problem?: string | null; failure: Failure | null }) {
  if (failure) return <FailureNotice failure={failure} />
  return (
    <p className={problem ? css.problem : css.noProblem} role="alert">
      {problem}
    </p>
  )
}
