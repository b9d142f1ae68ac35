/**
 * Accounts of MySQL and MariaDB: their statements read and written. The server's own lines (`SHOW GRANTS`, `SHOW CREATE USER`) are cut
 * into tokens, so that a name like "x' TO y" is a name. Pure.
 */

export interface Account {
  readonly user: string;
  readonly host: string;
}

/** MySQL, "String Literals", with `sql_mode` empty: backslashes escape. Names and passwords hold no NUL. */
export const quoteText = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
export const quoteAccount = ({ user, host }: Account): string => `${quoteText(user)}@${quoteText(host)}`;

/** `CURRENT_USER()`: a user may hold an @, a host does not. */
export function accountOf(text: unknown): Account | undefined {
  const at = typeof text === 'string' ? text.lastIndexOf('@') : -1;
  return typeof text === 'string' && at > 0 && at < text.length - 1 ? { user: text.slice(0, at), host: text.slice(at + 1) } : undefined;
}

interface Token {
  readonly kind: 'word' | 'quoted' | 'mark';
  readonly text: string;
  /** Where it begins and ends in the line. */
  readonly from: number;
  readonly to: number;
}

/** A quote doubled, or in strings after a backslash, is part of the token. Undefined when a quote is not closed. */
function tokensOf(line: string): readonly Token[] | undefined {
  const pattern = /\s+|(?<quoted>`(?:[^`]|``)*`|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")|(?<word>[\p{L}\p{N}_$]+)|(?<mark>[^\s`'"])/suy;
  const tokens: Token[] = [];
  while (pattern.lastIndex < line.length) {
    const from = pattern.lastIndex;
    const groups = pattern.exec(line)?.groups;
    if (!groups) return undefined;
    const kind = (['quoted', 'word', 'mark'] as const).find((one) => groups[one] !== undefined);
    if (kind) tokens.push({ kind, text: groups[kind] ?? '', from, to: pattern.lastIndex });
  }
  return tokens;
}

const isWord = (token: Token | undefined, word: string): boolean => token?.kind === 'word' && token.text.toUpperCase() === word;
const follows = (tokens: readonly Token[], at: number, ...words: readonly string[]): boolean => words.every((word, i) => isWord(tokens[at + i], word));
const hasWords = (tokens: readonly Token[], ...words: readonly string[]): boolean => tokens.some((_, at) => follows(tokens, at, ...words));

export type PasswordPlugin = 'mysql_native_password' | 'ed25519';
const PLUGINS: readonly string[] = ['mysql_native_password', 'ed25519'] satisfies readonly PasswordPlugin[];

/** From MariaDB's `SHOW CREATE USER`: the one plugin whose hash can be made here. Undefined when there is none, or more than one. */
export function pluginOf(line: string): PasswordPlugin | undefined {
  const tokens = tokensOf(line) ?? [];
  if (hasWords(tokens, 'IDENTIFIED', 'BY', 'PASSWORD')) return 'mysql_native_password';
  const found = tokens.filter(({ kind, text }, at) => kind === 'word' && PLUGINS.includes(text.toLowerCase()) && (isWord(tokens[at - 1], 'VIA') || isWord(tokens[at - 1], 'OR')));
  return found.length === 1 ? (found[0]?.text.toLowerCase() as PasswordPlugin) : undefined;
}

const ENDS = ['IDENTIFIED', 'REQUIRE', 'WITH'];

/**
 * A line of `SHOW GRANTS FOR` an account, as the same grant for `other`: who identifies how is left out. Undefined for a line that is
 * neither a grant nor a default role: nothing that is not understood is run.
 */
export function grantFor(line: string, other: Account): string | undefined {
  const tokens = tokensOf(line);
  if (!tokens) return undefined;
  const isGrant = isWord(tokens[0], 'GRANT');
  const isRevoke = isWord(tokens[0], 'REVOKE');
  if (!isGrant && !isRevoke && !follows(tokens, 0, 'SET', 'DEFAULT', 'ROLE')) return undefined;
  const preposition = isGrant ? 'TO' : isRevoke ? 'FROM' : 'FOR';
  const at = tokens.findLastIndex((token, i) => isWord(token, preposition) && tokens[i + 1]?.kind === 'quoted');
  const before = tokens[at];
  // `user`@`host`, or a name alone.
  const end = tokens[at + 2]?.text === '@' ? at + 4 : at + 2;
  if (!before || tokens[end - 1]?.kind !== 'quoted') return undefined;
  const rest = tokens.slice(end);
  if (rest.length > 0 && !ENDS.some((word) => isWord(rest[0], word))) return undefined;
  const kept = rest.findIndex((token) => isWord(token, 'REQUIRE') || isWord(token, 'WITH'));
  return `${line.slice(0, before.to)} ${quoteAccount(other)}${kept === -1 ? '' : ` ${line.slice(rest[kept]?.from)}`}`;
}

/** Whether these lines of `SHOW GRANTS` let their user make users and pass rights on. */
export function mayManageUsers(lines: readonly string[]): boolean {
  const rows = lines.map((line) => tokensOf(line) ?? []).filter((tokens) => isWord(tokens[0], 'GRANT'));
  const everywhere = (tokens: readonly Token[]): boolean => tokens.some((token, at) => isWord(token, 'ON') && tokens[at + 1]?.text === '*' && tokens[at + 3]?.text === '*');
  return rows.some((tokens) => everywhere(tokens) && (hasWords(tokens, 'CREATE', 'USER') || hasWords(tokens, 'ALL', 'PRIVILEGES'))) && rows.some((tokens) => hasWords(tokens, 'WITH', 'GRANT', 'OPTION') || hasWords(tokens, 'WITH', 'ADMIN', 'OPTION'));
}
