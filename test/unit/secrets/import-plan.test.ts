/** Which secrets become of a file: names by AWS's rules, duplicates, limits, and values that are JSON as JSON.stringify writes it. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import type { ReadFile } from '../../../src/main/imports/port.ts';
import { besideName, namePart, planImport, rowValue, suggestedName, type ImportChoice } from '../../../src/main/secrets/import-plan.ts';
import { objectLength, objectOf, type Member } from '../../../src/main/secrets/json-object.ts';
import { isSecretName } from '../../../src/shared/model/ids.ts';

type Given = readonly (readonly [path: readonly string[], fields: readonly (readonly [name: string, value: string])[]])[];

function fileOf(shape: ReadFile['shape'], given: Given): { readonly file: ReadFile; readonly values: Uint8Array } {
  const parts: Buffer[] = [];
  let at = 0;
  const entries = given.map(([path, fields]) => ({
    path,
    fields: fields.map(([name, value]) => {
      const bytes = Buffer.from(value);
      parts.push(bytes);
      const field = { name, kind: 'text' as const, start: at, length: bytes.length };
      at += bytes.length;
      return field;
    }),
  }));
  return { file: { format: 'dotenv', shape, notes: [], entries }, values: Buffer.concat(parts) };
}
const plan = (shape: ReadFile['shape'], given: Given, choice: Partial<ImportChoice> = {}) => {
  const { file, values } = fileOf(shape, given);
  const rows = planImport(file, values, { layout: 'each', prefix: '', name: '', ...choice }, () => 'id');
  return rows.map((row) => ({ ...row, value: row.refusal === 'Empty' ? '' : rowValue(row, values).borrow((bytes) => Buffer.from(bytes).toString()) }));
};

it.each([
  ['Büro-WLAN (5 GHz)', 'Buro-WLAN-5-GHz'],
  ['Straße', 'Strasse'],
  ['a/b', 'a-b'],
  ['日本', 'unnamed'],
  ['  ', 'unnamed'],
  ['API_KEY', 'API_KEY'],
])('%j is %j in a name', (text, part) => {
  expect(namePart(text)).toBe(part);
});

it.each([
  ['/home/ada/shop/.env', 'shop'],
  ['/home/ada/shop/.env.production', 'shop/production'],
  ['/home/ada/export.json', 'export'],
  ['C:\\Users\\ada\\keys.csv', 'keys'],
  ['/.env', 'env'],
  [undefined, 'imported'],
])('the one secret of %j is called %j', (path, name) => {
  expect(suggestedName(path)).toBe(name);
});

it('makes one secret of all fields, of which the last of a name counts', () => {
  expect(plan('fields', [[[], [['A', '1'], ['B', '2'], ['A', '3']]]], { layout: 'one', prefix: 'p/', name: 'app' })).toMatchObject([{ name: 'p/app', shape: 'object', repeated: ['A'], value: '{"A":"3","B":"2"}' }]);
});

it('makes one of each, and says which are empty, too large, and there before', () => {
  const rows = plan('fields', [[[], [['A', '1'], ['E', ''], ['A', '2'], ['L', 'x'.repeat(65_537)]]]], { prefix: 'p/' });
  expect(rows.map(({ name, refusal, earlier }) => [name, refusal, earlier])).toEqual([['p/A', undefined, undefined], ['p/E', 'Empty', undefined], ['p/A', undefined, 0], ['p/L', 'TooLarge', undefined]]);
});

it('names entries by their folders and titles, and keeps within 512 characters beside another', () => {
  const rows = plan('entries', [[['Work', 'Mail & more'], [['password', 'x']]], [['Work', 'Mail + more'], [['password', 'y']]], [['x'.repeat(600)], [['password', 'z']]]]);
  expect(rows.map(({ name, refusal }) => [name.slice(0, 20), refusal])).toEqual([['Work/Mail-more', undefined], ['Work/Mail-+-more', undefined], ['x'.repeat(20), 'NameTooLong']]);
  expect(besideName('x'.repeat(512), 12)).toHaveLength(512);
});

it('gives nothing but names that AWS takes', () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 4 }), (path) => {
    for (const { name } of plan('entries', [[path, [['a', 'b']]]])) expect(isSecretName(name)).toBe(true);
  }));
});

it('writes objects as JSON.stringify does', () => {
  const text = fc.string({ unit: 'binary', maxLength: 30 }).filter((one) => one.isWellFormed());
  const members = fc.uniqueArray(fc.tuple(text, text), { maxLength: 6, selector: ([name]) => name });
  fc.assert(fc.property(members, fc.boolean(), (given, withJson) => {
    const list: Member[] = given.map(([name, value]) => ({ name, kind: 'text', value: Buffer.from(value) }));
    const all: readonly Member[] = withJson ? [...list, { name: ' json', kind: 'json', value: Buffer.from('[1,null]') }] : list;
    const written = objectOf(all).borrow((bytes) => Buffer.from(bytes).toString());
    const unique = new Map<string, unknown>([...given, ...(withJson ? [[' json', [1, null]] as const] : [])]);
    if (unique.size === all.length && !given.some(([name]) => name === '__proto__')) expect(JSON.parse(written)).toEqual(Object.fromEntries(unique));
    expect(objectLength(all)).toBe(Buffer.byteLength(written));
    // U+007F and above stand as they are in both.
    for (const [, value] of given) expect(written).toContain(JSON.stringify(value));
  }), { numRuns: 60 });
});
