export const connection = {
  lost: 'The connection to Keyrite was lost: the program was ended, or this window was asleep for long.',
  kept: 'Everything up to the last finished step is kept. What was under way is not; nothing is recorded half.',
  next: 'Close this window and start Keyrite again. An open ceremony goes on from Home.',
}
