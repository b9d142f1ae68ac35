/** Kinds of record of the tests' own, in tables of the program's. */
import { KEY_USAGE } from '../../../src/main/keyring/kinds.ts';
import { indexedKind, vouchedKind } from '../../../src/main/store/collection.ts';
import { encodeJson, malformed, readFields } from '../../../src/main/store/strict.ts';

export interface Note {
  readonly name: string;
  readonly text: string;
}

export const NOTES = indexedKind<Note, { readonly length: number }>({
  table: 'secrets',
  schema: 2,
  what: 'a note',
  key: ({ name }) => name,
  encode: encodeJson,
  decode(schema, plain) {
    // Schema 1 had no text.
    const { name, text } = readFields('secrets', plain, ['name'], schema === 1 ? [] : ['text']) as { readonly name: unknown; readonly text?: unknown };
    if (typeof name !== 'string' || !(schema === 1 || typeof text === 'string')) throw malformed('secrets');
    return { name, text: typeof text === 'string' ? text : '' };
  },
  entry: ({ text }) => ({ length: text.length }),
});

export interface Blob {
  readonly id: string;
  readonly bytes: string;
}

export const BLOBS = vouchedKind<Blob>({
  table: 'secret_versions',
  schema: 1,
  what: 'a blob',
  key: ({ id }) => id,
  encode: encodeJson,
  decode(_schema, plain) {
    const { id, bytes } = readFields('secret_versions', plain, ['id', 'bytes'], []);
    if (typeof id !== 'string' || typeof bytes !== 'string') throw malformed('secret_versions');
    return { id, bytes };
  },
});

export const TEST_KINDS = [NOTES, BLOBS, KEY_USAGE];
