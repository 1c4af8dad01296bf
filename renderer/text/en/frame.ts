export const frame = {
  offline: 'OFFLINE',
  detected: 'NETWORK DETECTED',
  unknown: 'Network not checked',
  practice: 'PRACTICE',
  local: (clock: string) => `${clock} local`,
  clock: 'Time',
  skip: 'Go to the current task',
  show: 'Show',
  hide: 'Hide',
  aside: 'At a glance',
}
