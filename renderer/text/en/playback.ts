export const playback = {
  play: 'Play',
  stop: 'Stop',
  earlier: 'Earlier step',
  later: 'Later step',
  position: 'Position in the ceremony',
  at: (step: string, clock: string) => `${step}, ${clock} UTC`,
  step: (number: number, name: string) => `Step ${number}: ${name}`,
  deviation: 'deviation noted',
  pause: 'paused',
  noWayBack: 'no way back from here',
  lasted: (duration: string) => `lasted ${duration}`,
  empty: 'No step of this ceremony was finished.',
}
