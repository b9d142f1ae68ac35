/** What is kept of a secret in memory while the vault is open: enough to filter, sort and find what is due without opening rows. Pure. */
import { EXPIRES, expiryIn } from '../../shared/model/expiry.ts';
import { instant, type Instant } from '../../shared/model/ids.ts';
import type { SecretRecord, Tag } from './ports.ts';
import { wakeOf } from './replication.ts';

export interface SecretSummary {
  readonly created: Instant;
  readonly changed: Instant;
  readonly lastAccessed?: Instant;
  /** When it may be destroyed. */
  readonly due?: Instant;
  /** The end of the window in which it is rotated next, or should have been. */
  readonly rotates?: Instant;
  /** What its tag `expires` says. */
  readonly expires?: Instant;
  readonly tags: readonly Tag[];
  /** As in the record. */
  readonly region?: string;
  readonly primary?: string;
  /** Where it is replicated to. */
  readonly replicas: readonly string[];
  /** When a replica is to be brought level; 0: now. Absent: none is behind, or waits for its owner. */
  readonly wake?: Instant;
  /** Lower case, each after a space: of the description; and of name, description and tags together. */
  readonly described: string;
  readonly words: string;
}

const ASCII = /^[\x20-\x7e]*$/;
/** In ASCII several times as fast, which is most names. */
const ANY = { separator: /[^\p{L}\p{N}]+/u, capital: /(?=\p{Lu}\p{Ll})/u };
const PLAIN = { separator: /[^A-Za-z0-9]+/, capital: /(?=[A-Z][a-z])/ };

/**
 * Words as AWS's search breaks text into them: at what is neither letter nor digit, and before a capital letter, the unbroken word
 * too: `prod/DbPassword` is `prod`, `dbpassword`, `db` and `password`. In lower case.
 */
export function wordsOf(text: string): readonly string[] {
  const { separator, capital } = ASCII.test(text) ? PLAIN : ANY;
  const words: string[] = [];
  for (const part of text.split(separator)) {
    if (part === '') continue;
    const lower = part.toLowerCase();
    words.push(lower);
    if (lower === part) continue;
    const pieces = part.split(capital);
    if (pieces.length > 1) for (const piece of pieces) words.push(piece.toLowerCase());
  }
  return words;
}

function lined(texts: readonly string[]): string {
  const seen = new Set<string>();
  for (const text of texts) for (const word of wordsOf(text)) seen.add(word);
  // In one piece: what is put together by `+` is searched more slowly.
  return seen.size === 0 ? '' : ['', ...seen].join(' ');
}

function expiryOf(tags: readonly Tag[]): Instant | undefined {
  const said = tags.find(({ key }) => key === EXPIRES)?.value;
  const at = said === undefined ? undefined : expiryIn(said);
  return at === undefined ? undefined : instant(at);
}

const NONE: readonly string[] = [];

export function summary(secret: SecretRecord): SecretSummary {
  const { name, description, tags, created, changed, lastAccessed, deletion, rotation, replicas, region, primary } = secret;
  const wake = replicas.length === 0 ? undefined : wakeOf(secret);
  const expires = expiryOf(tags);
  return {
    created,
    changed,
    ...(rotation?.enabled === true && rotation.next !== undefined ? { rotates: rotation.next } : {}),
    ...(expires === undefined ? {} : { expires }),
    ...(lastAccessed === undefined ? {} : { lastAccessed }),
    ...(deletion === undefined ? {} : { due: deletion.due }),
    tags,
    ...(region === undefined ? {} : { region }),
    ...(primary ? { primary: primary.region } : {}),
    replicas: replicas.length === 0 ? NONE : replicas.map((one) => one.region),
    ...(wake === undefined ? {} : { wake }),
    described: lined([description]),
    words: lined([name, description, ...tags.flatMap(({ key, value }) => [key, value])]),
  };
}
