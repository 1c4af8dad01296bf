export const copies = {
  title: 'Every known copy',
  number: 'Number',
  copy: 'Copy',
  holder: 'Where, and who holds it',
  evidence: 'Evidence',
  state: 'State',
  closed: 'closed',
  ends: (count: number) => (count === 1 ? 'ends in this ceremony' : 'end in this ceremony'),
  open: (count: number) => (count === 1 ? 'stays open' : 'stay open'),
  none: 'No copy of this key is known.',
}
