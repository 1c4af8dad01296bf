import { app } from './en/app.ts'
import { compare } from './en/compare.ts'
import { copies } from './en/copies.ts'
import { danger } from './en/danger.ts'
import { evidence } from './en/evidence.ts'
import { fields } from './en/fields.ts'
import { frame } from './en/frame.ts'
import { home } from './en/home.ts'
import { keys } from './en/keys.ts'
import { language } from './en/language.ts'
import { notices } from './en/notices.ts'
import { people } from './en/people.ts'
import { plan } from './en/plan.ts'
import { playback } from './en/playback.ts'
import { quorum } from './en/quorum.ts'
import { readiness } from './en/readiness.ts'
import { records } from './en/records.ts'
import { sitting } from './en/sitting.ts'
import { status } from './en/status.ts'
import { steps } from './en/steps.ts'
import { timelines } from './en/timelines.ts'
import { transfer } from './en/transfer.ts'

/** English. One file per group of components or screen; sentences with something in them are functions. */
export const text = {
  language,
  frame,
  status,
  steps,
  quorum,
  timelines,
  compare,
  copies,
  danger,
  plan,
  playback,
  fields,
  notices,
  app,
  sitting,
  home,
  records,
  keys,
  people,
  evidence,
  readiness,
  transfer,
}
