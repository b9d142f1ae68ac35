/**
 * JSON (RFC 8259), read by the strict reader of the doors: duplicate keys, lone surrogates, a depth over 32, numbers that lose digits and
 * bytes behind the document are refused. An object whose members are all objects is several secrets, anything else one set of fields.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { decodeJson, isObject } from '../../shared/wire/json.ts';
import { ImportFailure, type Parsed, type ParsedField } from './parsed.ts';
import { jsonReason } from './reasons.ts';
import { lineAt } from './text.ts';

export type Members = Readonly<Record<string, unknown>>;

/** `before`: characters of the file in front of `text`. */
export function readJson(text: string, file = text, before = 0): unknown {
  const bytes = new TextEncoder().encode(text);
  try {
    return decodeJson(bytes);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    // The offset of a byte and fixed words, which are the reader's own.
    const [, offset = '0', fault = ''] = /^malformed json at byte (\d+): (.*)$/.exec(error.message) ?? [];
    const at = before + new TextDecoder().decode(bytes.subarray(0, Number(offset))).length;
    throw new ImportFailure(jsonReason(fault), lineAt(file, at));
  }
}

/** What `op` puts out of several items: documents one behind the other. */
export function readJsonDocuments(text: string): readonly unknown[] {
  const documents: unknown[] = [];
  let depth = 0;
  let start = -1;
  for (let at = 0; at < text.length; at++) {
    const one = text.charAt(at);
    if (one === '"' && depth > 0) {
      for (at++; at < text.length && text.charAt(at) !== '"'; at++) if (text.charAt(at) === '\\') at++;
    } else if (one === '{' || one === '[') {
      if (depth++ === 0) start = start === -1 ? at : start;
    } else if ((one === '}' || one === ']') && --depth === 0) {
      documents.push(readJson(text.slice(start, at + 1), text, start));
      start = -1;
    } else if (depth === 0 && !/\s/.test(one)) throw new ImportFailure('json-outside', lineAt(text, at));
    if (depth < 0) break;
  }
  if (depth !== 0) throw new ImportFailure('json-brackets', lineAt(text, text.length));
  return documents;
}

export const fieldsOfMembers = (members: Members): readonly ParsedField[] =>
  Object.entries(members).map(([name, value]) => (typeof value === 'string' ? { name, kind: 'text', value } : { name, kind: 'json', value: JSON.stringify(value) }));

/** Of an object that is no other program's export. */
export function parseMembers(format: 'json' | 'yaml', document: unknown): Parsed {
  if (!isObject(document)) throw new ImportFailure('no-object');
  const members = Object.entries(document);
  if (members.length === 0) throw new ImportFailure('nothing');
  if (!members.every(([, value]) => isObject(value))) return { format, shape: 'fields', entries: [{ path: [], fields: fieldsOfMembers(document) }], notes: [] };
  const filled = members.filter(([, value]) => Object.keys(value as Members).length > 0);
  if (filled.length === 0) throw new ImportFailure('nothing');
  return {
    format,
    shape: 'entries',
    entries: filled.map(([name, value]) => ({ path: name.split('/').filter((part) => part !== ''), fields: fieldsOfMembers(value as Members) })),
    notes: filled.length < members.length ? ['empty-left'] : [],
  };
}

export const textIn = (members: Members, name: string): string => {
  const value = members[name];
  return typeof value === 'string' ? value : '';
};
export const objectIn = (members: Members, name: string): Members => {
  const value = members[name];
  return isObject(value) ? value : {};
};
export const objectsIn = (members: Members, name: string): readonly Members[] => {
  const value = members[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
};
