/** What is kept of a secret in memory while the vault is open: enough to filter, sort and find what is due without opening rows. Pure. */
import type { Instant } from '../../shared/model/ids.ts';
import type { SecretRecord, Tag } from './ports.ts';

export interface SecretSummary {
  readonly created: Instant;
  readonly changed: Instant;
  readonly lastAccessed?: Instant;
  /** When it may be destroyed. */
  readonly due?: Instant;
  readonly tags: readonly Tag[];
  readonly replicated: boolean;
  /** Lower case, each after a space: of the description; and of name, description and tags together. */
  readonly described: string;
  readonly words: string;
}

const SEPARATOR = /[^\p{L}\p{N}]+/u;
const CAPITAL = /(?=\p{Lu}\p{Ll})/u;

/**
 * Words as AWS's search breaks text into them: at what is neither letter nor digit, and before a capital letter, the unbroken word
 * too: `prod/DbPassword` is `prod`, `dbpassword`, `db` and `password`.
 */
export function wordsOf(text: string): readonly string[] {
  return text.split(SEPARATOR).flatMap((part) => {
    if (part === '') return [];
    const pieces = part.split(CAPITAL);
    return (pieces.length > 1 ? [part, ...pieces] : [part]).map((word) => word.toLowerCase());
  });
}

const lined = (texts: readonly string[]): string => [...new Set(texts.flatMap(wordsOf))].map((word) => ` ${word}`).join('');

export function summary({ name, description, tags, created, changed, lastAccessed, deletion, replicas }: SecretRecord): SecretSummary {
  return {
    created,
    changed,
    ...(lastAccessed === undefined ? {} : { lastAccessed }),
    ...(deletion === undefined ? {} : { due: deletion.due }),
    tags,
    replicated: replicas.length > 0,
    described: lined([description]),
    words: lined([name, description, ...tags.flatMap(({ key, value }) => [key, value])]),
  };
}
