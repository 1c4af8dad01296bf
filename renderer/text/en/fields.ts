export const fields = {
  notSpoken: 'What you type is not read aloud, and nobody sees it on the screen.',
  secretHint: 'Used for this one act, then forgotten. A wrong word changes nothing; type it again.',
  repeat: 'The same once more',
  differ: 'The two differ. Type both again.',
  empty: 'Type it first.',
  choose: 'Choose…',
  optional: 'may stay empty',
}
