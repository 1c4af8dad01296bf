/** Every word that a screen says, in the language in force. */
export { text } from './en.ts'
