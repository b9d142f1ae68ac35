/** `keystead completion bash`: a script made from the table of commands, so that it is never behind. */
import { EXIT } from '../shared/model/errors.ts';
import { GLOBAL_FLAGS, type Flag } from './arguments.ts';
import { flagText, type Command } from './command.ts';
import { usage } from './world.ts';

const tokensOf = (flag: Flag): readonly string[] => (flag.takes === 'secret' || flag.takes === 'refused' ? [] : flag.takes === 'negatable' ? [`--${flag.name}`, `--no-${flag.name}`] : [`--${flag.name}`]);
const quoted = (words: Iterable<string>): string => `'${[...new Set(words)].join(' ')}'`;

export function bashCompletion(commands: readonly Command[]): string {
  const names = commands.flatMap((command) => command.names.map((name) => [name, command] as const));
  const first = names.map(([name]) => name.split(' ')[0] ?? '');
  const groups = new Set(names.flatMap(([name]) => (name.includes(' ') ? [name.split(' ')[0] ?? ''] : [])));
  const second = [...groups].map((group) => `    ${group}) words=${quoted(names.flatMap(([name]) => (name.startsWith(`${group} `) ? [name.split(' ')[1] ?? ''] : [])))} ;;`);
  const flagsOf = (ofGroup: boolean): string =>
    names
      .filter(([name]) => name.includes(' ') === ofGroup)
      .map(([name, command]) => `    '${name}') words=${quoted([...command.flags, ...GLOBAL_FLAGS].flatMap(tokensOf))} ;;`)
      .join('\n');
  const choices = new Map<string, Set<string>>();
  for (const flag of [...GLOBAL_FLAGS, ...commands.flatMap((command) => command.flags)]) {
    if (!flag.choices) continue;
    const known = choices.get(flag.name) ?? new Set();
    for (const choice of flag.choices) known.add(choice);
    choices.set(flag.name, known);
  }
  const values = [...choices].map(([name, known]) => `    --${name}) COMPREPLY=($(compgen -W ${quoted(known)} -- "$cur")); return ;;`);
  return `# bash completion of keystead: eval "$(keystead completion bash)"
_keystead() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" words='' a="\${COMP_WORDS[1]}" b="\${COMP_WORDS[2]}"
  case "$prev" in
${values.join('\n')}
    --vault|--output-file|--out|--recovery-code-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quoted([...first, '--help', '--version'])} -- "$cur"))
    return
  fi
  if [ "$COMP_CWORD" -eq 2 ]; then
    case "$a" in
${second.join('\n')}
    esac
    if [ -n "$words" ]; then
      COMPREPLY=($(compgen -W "$words" -- "$cur"))
      return
    fi
  fi
  case "$a $b" in
${flagsOf(true)}
  esac
  if [ -z "$words" ]; then
    case "$a" in
${flagsOf(false)}
    esac
  fi
  case "$cur" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -f -- "$cur")) ;;
  esac
}
complete -o filenames -F _keystead keystead
`;
}

export function completionCommand(all: () => readonly Command[]): Command {
  return {
    names: ['completion'],
    summary: 'Print a script that completes commands in a shell',
    flags: [{ name: 'shell', takes: 'value', choices: ['bash'], required: true, about: 'Which shell' }],
    positionals: ['shell'],
    examples: ['eval "$(keystead completion bash)"'],
    async run(run) {
      if (flagText(run, 'shell') !== 'bash') throw usage('completion is there for bash: `keystead completion bash`');
      await run.world.stdout.write(bashCompletion(all()));
      return EXIT.ok;
    },
  };
}
