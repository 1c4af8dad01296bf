export const status = {
  done: 'Done',
  now: 'Now',
  todo: 'To do',
  warn: 'Attention',
  danger: 'Stop',
  open: 'Stays open',
  closed: 'Closed',
  ends: 'Ends now',
  due: 'Due',
  waiting: 'Waiting',
  skipped: 'Left out',
  doneAt: (clock: string) => `Done ${clock}`,
}
