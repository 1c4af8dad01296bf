import { Command } from 'commander'
import { KeyriteError, must } from '../../shared/errors.ts'
import { listed } from '../../shared/pages/words.ts'
import { type Answer, answering } from './output.ts'

/** What can be read off the commands themselves: completion for shells, and words that are no command. */

/** Refuses a word where a command must stand, even before --help. Code `usage-invalid`. */
export function refuseUnknown(program: Command, words: readonly string[]): void {
  let command = program
  for (const word of words) {
    if (word.startsWith('-')) {
      if (command === program) continue
      return
    }
    if (command.commands.length === 0 || word === 'help') return
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word))
    if (!next) throw new KeyriteError('usage-invalid', `unknown command '${word}'`, { hint: hintFor(command) })
    command = next
  }
}

const hintFor = (command: Command): string => `Commands here are ${listed(command.commands.map((one) => one.name()))}.`

/** "ceremony run" -> what may follow: sub-commands and options. */
function wordsAfter(command: Command, path = ''): Map<string, string[]> {
  const options = command.options.flatMap(({ long }) => long ?? [])
  const all = new Map([[path, [...command.commands.map((one) => one.name()), ...options, '--help']]])
  for (const one of command.commands)
    for (const [below, words] of wordsAfter(one, `${path} ${one.name()}`.trim())) all.set(below, words)
  return all
}

/** Walks the words typed so far down the tree, then offers what may follow; files after everything else. */
const cases = (tree: Map<string, string[]>): string =>
  [...tree].map(([path, words]) => `    "${path}") offered="${words.join(' ')}" ;;`).join('\n')

/** A path of commands never holds an option; a word that begins with one ends it. Names are none that a shell uses. */
const walk = (tree: Map<string, string[]>, typed: string): string => `  local place="" one offered=""
  for one in ${typed}; do
    case "$one" in -*) break ;; esac
    case " ${[...tree.keys()].map((path) => path.replaceAll(' ', '.')).join(' ')} " in
      *" \${place:+$place.}$one "*) place="\${place:+$place.}$one" ;;
      *) break ;;
    esac
  done
  case "\${place//./ }" in
${cases(tree)}
  esac`

const SHELLS: Record<string, (tree: Map<string, string[]>) => string> = {
  bash: (tree) => `_keyrite() {
${walk(tree, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}
  COMPREPLY=($(compgen -W "$offered" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _keyrite keyrite
`,
  zsh: (tree) => `#compdef keyrite
_keyrite() {
${walk(tree, `"\${(@)words[2,CURRENT-1]}"`)}
  compadd -- \${=offered}
  _files
}
compdef _keyrite keyrite
`,
  fish: (tree) =>
    `complete -c keyrite -e\n${[...tree]
      .map(([path, words]) => {
        const named = path.split(' ').filter((word) => word !== '')
        const after =
          named.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ') || '__fish_use_subcommand'
        return words.map((word) => fishLine(word, after)).join('\n')
      })
      .join('\n')}\n`,
}

const fishLine = (word: string, after: string): string =>
  word.startsWith('--')
    ? `complete -c keyrite -n '${after}' -l ${word.slice(2)}`
    : `complete -c keyrite -n '${after}' -a ${word}`

/** `keyrite completion bash|zsh|fish` */
export function completionCommand(program: Command): Command {
  const shells = Object.keys(SHELLS)
  return new Command('completion')
    .description(`completion for a shell: ${shells.join(', ')}`)
    .argument('<shell>')
    .action(
      answering(async ([shell = '']): Promise<Answer> => {
        const script = SHELLS[shell]?.(wordsAfter(program))
        must(script, 'usage-invalid', `There is completion for ${listed(shells)}, not for ${shell}.`)
        return { data: { script }, text: script }
      }),
    )
}
