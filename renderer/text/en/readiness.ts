import { language } from './language.ts'

const { counted, number } = language
const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1)

export const readiness = {
  name: { hold: 'Before the ceremony', resume: 'Before going on' },
  checking: 'Looking at this machine…',
  title: {
    ready: 'This machine is ready.',
    open: (count: number) => `${capital(counted(count, 'check'))} ${count === 1 ? 'needs' : 'need'} a decision.`,
  },
  lead: {
    ready: 'Every check passes. Two people confirm the time from their own watches as the first thing in the ceremony.',
    open: 'Put right what can be put right and check again. Whatever stays needs a reason, and the reason goes into the record.',
    practice: 'In a real ceremony each of these would need a reason. This is practice, so nothing here holds you up.',
  },
  undecided: 'To be decided',
  passed: 'In order',
  state: { pass: 'Passes', fail: 'Fails', unknown: 'Look yourselves' },
  why: 'Why it matters',
  fix: 'What to do',
  reason: {
    fail: 'Why you go on all the same',
    unknown: 'What you saw yourselves',
    app: 'What you compared it with, and who did',
    hint: 'Goes into the record, word for word.',
    practice: 'Not needed in practice; goes into the record if you write something.',
    short: 'A few words more.',
    given: 'Reason given',
  },
  again: 'Check again',
  back: 'Back',
  go: { hold: 'Go on to the ceremony', resume: 'Go on with the ceremony' },
  waits: (count: number) => (count === 1 ? 'Waits for one reason.' : `Waits for ${number(count)} reasons.`),
  counts: (pass: number, fail: number, unknown: number) =>
    `${capital(number(pass))} of ${number(pass + fail + unknown)} checks pass, ${number(fail)} fail, ${number(unknown)} need your own eyes.`,
  summary: {
    title: 'At a glance',
    passing: 'Pass',
    failing: 'Fail',
    looking: 'To check',
    missing: 'Missing',
    reasons: (count: number) => counted(count, 'reason'),
    time: 'Time',
    timeWords:
      'Have two watches ready that were not set from this machine. The ceremony asks two people to read UTC from them.',
    network: 'The network stays off',
    networkWords: 'If a network comes up during the ceremony, it pauses by itself and the record says so.',
  },
}
