/** Arguments to flags and values: pure, and the only place that knows the shape of a command line. */
import { usage } from './world.ts';

/**
 * value: takes one. switch: takes none. negatable: `--flag` and `--no-flag`.
 * secret: never takes a value here; giving one is refused with what to do instead (`instead`).
 * refused: known to AWS's command line and not offered; `about` says what to do instead.
 */
export interface Flag {
  readonly name: string;
  readonly takes: 'value' | 'switch' | 'negatable' | 'secret' | 'refused';
  readonly about: string;
  readonly placeholder?: string;
  readonly required?: boolean;
  readonly repeat?: boolean;
  /** Words that follow are more of it, as for the AWS CLI. */
  readonly words?: boolean;
  readonly choices?: readonly string[];
  readonly fallback?: string;
  readonly instead?: string;
}

export type Values = ReadonlyMap<string, readonly string[] | boolean>;

/** Flags that every command takes. */
export const GLOBAL_FLAGS: readonly Flag[] = [
  { name: 'vault', takes: 'value', placeholder: 'DIR', about: 'Folder of the vault; else KEYSTEAD_VAULT, else the last one used' },
  { name: 'output', takes: 'value', choices: ['json', 'text'], about: 'Form of what is printed' },
  { name: 'timeout', takes: 'value', placeholder: 'SECONDS', about: 'Cancel after this long' },
  { name: 'debug', takes: 'switch', about: 'Show the request id with an error' },
  { name: 'help', takes: 'switch', about: 'Show this' },
];

const nameOf = (token: string): string => token.replace(/^--/, '').replace(/=.*$/s, '');

/**
 * Splits the command's words from the rest: global flags may stand before them. `known` says whether words so far are the
 * beginning of a command; the longest run of known words is taken.
 */
export function splitCommand(argv: readonly string[], known: (words: readonly string[]) => boolean): { words: readonly string[]; rest: readonly string[] } {
  const words: string[] = [];
  const rest: string[] = [];
  let at = 0;
  for (; at < argv.length; at++) {
    const token = argv[at] ?? '';
    const flag = GLOBAL_FLAGS.find(({ name }) => token.startsWith('--') && name === nameOf(token));
    if (flag) {
      rest.push(token);
      if (flag.takes === 'value' && !token.includes('=') && at + 1 < argv.length) rest.push(argv[++at] ?? '');
    } else if (token === '-h' || token === '--version') {
      rest.push(token);
    } else if (!token.startsWith('-') && known([...words, token])) {
      words.push(token);
    } else break;
  }
  return { words, rest: [...rest, ...argv.slice(at)] };
}

/**
 * Reads flags and positionals. Unknown flags, flags given twice, missing values and spare words are errors that name the flag and
 * never quote a value. `positionals` are names of flags that a bare word fills, in order.
 */
export function parseFlags(tokens: readonly string[], flags: readonly Flag[], positionals: readonly string[] = []): Values {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const values = new Map<string, string[] | boolean>();
  const bare: string[] = [];
  const set = (flag: Flag, value: string | boolean): void => {
    const before = values.get(flag.name);
    if (before !== undefined && !(flag.repeat && Array.isArray(before))) throw usage(`--${flag.name} is given twice`);
    if (typeof value === 'boolean') values.set(flag.name, value);
    else if (Array.isArray(before)) before.push(value);
    else values.set(flag.name, [value]);
  };

  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? '';
    if (token === '--') {
      bare.push(...tokens.slice(at + 1));
      break;
    }
    if (token === '-h') {
      set({ name: 'help', takes: 'switch', about: '' }, true);
      continue;
    }
    if (!token.startsWith('--')) {
      if (token.startsWith('-') && token !== '-') throw usage('flags begin with two hyphens');
      bare.push(token);
      continue;
    }
    const name = nameOf(token);
    const inline = token.includes('=') ? token.slice(token.indexOf('=') + 1) : undefined;
    const negated = name.startsWith('no-') ? byName.get(name.slice(3)) : undefined;
    const flag = byName.get(name);
    if (!flag && negated?.takes === 'negatable') {
      if (inline !== undefined) throw usage(`--${name} takes no value`);
      set(negated, false);
    } else if (!flag) {
      throw unknown(name, flags);
    } else if (flag.takes === 'refused') {
      throw usage(`--${flag.name} ${flag.about}`);
    } else if (flag.takes === 'secret') {
      throw usage(`--${name} takes no value here: arguments are seen by other programs and kept in the shell's history; ${flag.instead ?? ''}`);
    } else if (flag.takes === 'value') {
      const next = tokens[at + 1];
      if (inline === undefined && (next === undefined || next.startsWith('--'))) throw usage(`--${name} needs a value (\`--${name}=--x\` for one that begins with hyphens)`);
      if (inline === undefined) at++;
      const value = inline ?? next ?? '';
      if (flag.choices && !flag.choices.includes(value)) throw usage(`--${name} must be one of ${flag.choices.join(', ')}`);
      set(flag, value);
      while (flag.words && positionals.length === 0 && inline === undefined && tokens[at + 1]?.startsWith('-') === false) set(flag, tokens[++at] ?? '');
    } else {
      if (inline !== undefined) throw usage(`--${name} takes no value`);
      set(flag, true);
    }
  }

  for (const word of bare) {
    const name = positionals.find((positional) => !values.has(positional));
    const flag = name === undefined ? undefined : byName.get(name);
    if (!flag) throw usage(`there is a word too many after the command${positionals.length === 0 ? '; values follow their flag, as `--key-id ID`' : ''}`);
    set(flag, word);
  }
  return values;
}

function unknown(name: string, flags: readonly Flag[]): Error {
  const names = flags.flatMap((flag) => (flag.takes === 'refused' ? [] : flag.takes === 'negatable' ? [flag.name, `no-${flag.name}`] : [flag.name]));
  const near = closest(name, names);
  return usage(`there is no flag --${name} here${near === undefined ? '' : `; is it --${near}?`}`);
}

/** The candidate within two edits, if any. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = 3;
  for (const candidate of candidates) {
    const distance = Math.abs(candidate.length - word.length) >= least ? least : edits(word, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** One value of a flag. */
export function textOf(values: Values, name: string): string | undefined {
  const value = values.get(name);
  return typeof value === 'object' ? value[0] : undefined;
}
export const listOf = (values: Values, name: string): readonly string[] => {
  const value = values.get(name);
  return typeof value === 'object' ? value : [];
};
export function switchOf(values: Values, name: string): boolean | undefined {
  const value = values.get(name);
  return typeof value === 'boolean' ? value : undefined;
}
