/** Words for the people in the room, and how far long work has come. */
export type Reporter = {
  say(text: string): void
  progress(label: string, done: number, total: number): void
}
