/**
 * Filters of ListSecrets and BatchGetSecretValue: every filter must fit, and of its values at least one; `!` in front of a value turns
 * it round. `name`, tags and region by their beginning and exactly, description and `all` by the beginnings of words in any case.
 * Source: AWS Secrets Manager API Reference, Filter; that AWS compares the description by words too is moto's finding. Pure.
 */
import { wordsOf, type SecretSummary } from './summary.ts';

export interface Filter {
  readonly Key: 'description' | 'name' | 'tag-key' | 'tag-value' | 'primary-region' | 'owning-service' | 'all';
  readonly Values: readonly string[];
}

export type Fits = (name: string, summary: SecretSummary) => boolean;

/** Every word of `text` begins one of `words`. Nothing but separators fits nothing. */
function byWords(text: string, words: (summary: SecretSummary) => string): Fits {
  const wanted = text.split(/\s+/).flatMap(wordsOf).map((word) => ` ${word}`);
  if (wanted.length === 0) return () => false;
  return (_name, summary) => {
    const line = words(summary);
    for (const word of wanted) if (!line.includes(word)) return false;
    return true;
  };
}

const FITS: Readonly<Record<Filter['Key'], (text: string, region: string) => Fits>> = {
  name: (text) => (name) => name.startsWith(text),
  'tag-key': (text) => (_name, { tags }) => tags.some(({ key }) => key.startsWith(text)),
  'tag-value': (text) => (_name, { tags }) => tags.some(({ value }) => value.startsWith(text)),
  // As AWS says it: only a secret that is replicated has a primary region.
  'primary-region': (text, region) => (_name, { primary, replicas }) => (primary ?? (replicas.length > 0 ? region : undefined))?.startsWith(text) ?? false,
  // No other service owns secrets here.
  'owning-service': () => () => false,
  description: (text) => byWords(text, ({ described }) => described),
  all: (text) => byWords(text, ({ words }) => words),
};

/** Most filters have one value, and are asked about every secret at each key press. */
const anyOf = (values: readonly Fits[]): Fits => {
  const [only] = values;
  return only && values.length === 1 ? only : (name, summary) => values.some((fits) => fits(name, summary));
};

export function fitsAll(filters: readonly Filter[], region: string): Fits {
  const all = filters.map(({ Key, Values }) =>
    anyOf(Values.map((value): Fits => {
      if (!value.startsWith('!')) return FITS[Key](value, region);
      const fits = FITS[Key](value.slice(1), region);
      return (name, summary) => !fits(name, summary);
    })),
  );
  const [only] = all;
  return only && all.length === 1 ? only : (name, summary) => all.every((fits) => fits(name, summary));
}
