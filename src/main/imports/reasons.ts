/**
 * Why a file is not taken: a closed table. What reads hostile files names an entry of it, and the words are the vault's, so that a file that took over its reader
 * can choose among these sentences and say nothing of its own. None quotes what is in a file.
 */
import { MOST_BYTES, MOST_DEPTH, MOST_ELEMENTS_DEEP, MOST_ENTRIES, MOST_FIELDS, MOST_NAME } from './limits.ts';

/** What the strict JSON reader says (`shared/wire`), but for what concerns base64. */
export const JSON_FAULTS = [
  'a byte order mark',
  'a colon is expected',
  'a comma or the end of the array is expected',
  'a comma or the end of the object is expected',
  'a control character in a string',
  'a digit is expected',
  'a key for the second time',
  'a key is expected',
  'a key that is not allowed',
  'a leading zero',
  'a lone surrogate',
  'a number beyond the range of a double',
  'a string without an end',
  'a value is expected',
  'an escape of four hexadecimal digits is expected',
  'an integer beyond 2^53',
  'an object is expected',
  'an unknown escape',
  'brackets do not match',
  'bytes after the document',
  'invalid utf-8 in the string that begins here',
  'nested deeper than 32',
  'unexpected end',
] as const;
export type JsonFault = (typeof JSON_FAULTS)[number];

const OWN = {
  unreadable: 'it cannot be read',
  'too-large': `it has more than ${String(MOST_BYTES / 1024 / 1024)} MiB`,
  'too-many-entries': `it has more than ${String(MOST_ENTRIES)} entries: divide it`,
  'too-many-values': `it has more than ${String(MOST_FIELDS)} values: divide it`,
  'too-deep': 'it is nested too deep',
  'deeper-than-limit': `it is nested deeper than ${String(MOST_DEPTH)}`,
  nothing: 'there is nothing in it',
  unknown: 'it is no `.env`, JSON, YAML, or export of 1Password, Bitwarden or KeePass that Keystead knows',

  zip: 'it is a zip file, as `.1pux` is: export CSV from 1Password instead, or `op item list --format json | op item get - --format json`',
  'keepass-database': 'it is an encrypted KeePass database: export it as KeePass XML (2.x) instead',
  'utf-16': 'it is UTF-16: save it as UTF-8',
  'not-utf-8': 'it is not UTF-8',
  'nul-byte': 'it has a NUL byte, which no text has',

  'name-empty': 'a name is empty',
  'name-too-long': `a name is longer than ${String(MOST_NAME)}`,
  'name-half-character': 'a name has half a character (a lone surrogate)',
  'name-twice': 'a name is there twice',
  'name-not-allowed': 'it has a name that is not allowed',
  'name-not-text': 'a name must be text',
  'value-nul': 'a value has a NUL, which no text has',
  'value-half-character': 'a value has half a character (a lone surrogate)',
  'value-not-plain': 'it has a value that is no text, number, list or map',

  'no-object': 'the outermost thing must be an object of names and values',
  'json-malformed': 'it is no JSON that can be taken',
  'json-outside': 'it is no JSON: something stands outside of objects',
  'json-brackets': 'it is no JSON: brackets do not match',
  'json-list': 'it is a list, and not one of items of 1Password’s `op`: give an object of names and values',

  'yaml-unreadable': 'it is no YAML that can be read',
  'yaml-malformed': 'it is no YAML',
  'yaml-documents': 'it has more than one document',
  'yaml-tag': 'it has a tag of its own',
  'yaml-anchor': 'it has an anchor; write the value out where it is used',
  'yaml-alias': 'it has an alias; write the value out where it is used',

  'quote-open': 'a quote is opened and never closed',
  'behind-quote': 'there is more behind a closing quote',
  'quote-within': 'a quote stands within a value that is not quoted',
  'no-assignment': 'it is neither `NAME=value` nor a comment',
  'no-assignments': 'there is no `NAME=value` in it',
  'columns-unknown': 'its columns are not those of 1Password, Bitwarden, KeePass or KeePassXC',
  'column-twice': 'a column is there twice',
  'values-beyond-columns': 'it has more values than there are columns',

  'op-without-values': 'it is a list of `op` without values: give `op item list --format json | op item get - --format json`',
  'op-others': 'it has something else among items of `op`',
  'bitwarden-encrypted': 'it is an encrypted Bitwarden export: export `.json` instead of `.json (Encrypted)`',
  'bitwarden-without-items': 'it is no Bitwarden export: it has no items',
  'keepass-encrypted': 'its values are still encrypted: export it as XML from the open database',
  'keepass-root': 'it is no KeePass export: its outermost element is not `KeePassFile`',
  'xml-malformed': 'it is no XML',
  'xml-too-deep': `it is nested deeper than ${String(MOST_ELEMENTS_DEEP)} elements, or no XML`,
  'xml-document-type': 'it has a document type, which no export has',
  'xml-entity': 'it has an entity that is none of XML’s own',
} as const;

export type Reason = keyof typeof OWN | `json: ${JsonFault}`;

export const REASONS: Readonly<Record<Reason, string>> = {
  ...OWN,
  ...(Object.fromEntries(JSON_FAULTS.map((fault) => [`json: ${fault}`, `it is no JSON that can be taken: ${fault}`])) as Record<`json: ${JsonFault}`, string>),
};

export const REASON_NAMES = Object.keys(REASONS) as [Reason, ...Reason[]];

/** Of the strict reader's own words. */
export function jsonReason(fault: string): Reason {
  const known = JSON_FAULTS.find((one) => one === fault);
  return known ? `json: ${known}` : 'json-malformed';
}
