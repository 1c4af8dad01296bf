import { useCallback, useEffect, useState } from 'react'
import type { Choices } from '../../../shared/contract/plan.ts'
import { Failure } from '../../client.ts'
import { type CeremonyKind, type PlanStart, useKeyrite } from '../../state.tsx'
import type { Values } from './field-types.ts'
import { type Known, startingValues } from './start.ts'
import { formOf, planOf, textOf } from './values.ts'

/** Where we are with a plan: its kind is chosen, its form or its text is edited, it is reviewed. What was typed stays. */

export type Stage = 'choose' | 'form' | 'text' | 'review'
export type Editing = { kind: CeremonyKind; values: Values }

type Draft = { editing: Editing | null; text: string }

/** What was left half done, as when somebody goes to choose a medium: kept while the window is open. */
let draft: Draft = { editing: null, text: '' }

/** Its plan is on its way: nothing of it is half done any more. */
export function forgetDraft(): void {
  draft = { editing: null, text: '' }
}

export type PlanState = ReturnType<typeof usePlan>

export function usePlan(start: PlanStart | undefined, choices: Choices) {
  const { overview, hello } = useKeyrite()
  const known = { overview, practice: hello.practice !== null, choices }
  const [stage, setStage] = useState<Stage>(() => (!start ? 'choose' : 'kind' in start ? 'form' : 'review'))
  const [editing, setEditing] = useState<Editing | null>(() =>
    !start ? draft.editing : 'text' in start ? formOf(start.text) : begin(start.kind, start.given ?? {}, known),
  )
  const [text, setText] = useState(() => (start ? ('text' in start ? start.text : '') : draft.text))
  useEffect(() => {
    draft = { editing, text }
  }, [editing, text])

  return {
    stage,
    editing,
    text,
    setValues: (values: Values) => setEditing((before) => before && { ...before, values }),
    setText: (typed: string) => {
      setText(typed)
      setEditing(formOf(typed))
    },
    choose: () => setStage('choose'),
    chooseKind: (kind: CeremonyKind) => {
      setEditing((before) => (before?.kind === kind ? before : begin(kind, {}, known)))
      setStage('form')
    },
    /** A file that was prepared is reviewed as it is: its digest covers every character. */
    take: (loaded: string) => {
      setText(loaded)
      setEditing(formOf(loaded))
      setStage('review')
    },
    write: (typed: string) => {
      setText(typed)
      setStage('text')
    },
    asForm: () => setStage('form'),
    review: () => {
      if (stage === 'form' && editing) setText(unchanged(editing, text) ? text : textFor(editing))
      setStage('review')
    },
    /** Back to where it was edited. */
    change: () => setStage(editing ? 'form' : 'text'),
  }
}

const begin = (kind: CeremonyKind, given: Values, known: Known): Editing => ({
  kind,
  values: startingValues(kind, given, known),
})

export const textFor = ({ kind, values }: Editing): string => textOf(planOf(kind, values))

/** A file that was only looked at in the form stays as it was written, to the last blank. */
function unchanged(editing: Editing, text: string): boolean {
  const before = formOf(text)
  return before !== null && textFor(before) === textFor(editing)
}

/** What forms choose from, asked for once. */
export function useChoices() {
  const { call } = useKeyrite()
  const [choices, setChoices] = useState<Choices | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  useEffect(() => {
    call('choices', {}).then(setChoices, (error) => setFailure(asFailure(error)))
  }, [call])
  return { choices, failure }
}

/** What a call failed with; anything else is not meant for people. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  throw error
}

/** One act at a time, with what it failed with. */
export function useAct() {
  const [pending, setPending] = useState<string | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const act = useCallback(async (name: string, work: () => Promise<unknown>) => {
    setPending(name)
    setFailure(null)
    try {
      await work()
    } catch (error) {
      setFailure(asFailure(error))
    } finally {
      setPending(null)
    }
  }, [])
  return { pending, failure, act, forget: () => setFailure(null) }
}
